#include "common/table_spec.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(TableSpecDifference, NamesTheSettingAndBothValues) {
  TableSpec before;
  before.name = "f1";
  EXPECT_EQ(difference(before, before), "");
  TableSpec after = before;
  after.optimizer.learning_rate = 0.5F;
  EXPECT_EQ(difference(before, after), "table f1: learning_rate 0.01 became 0.5");
  after = before;
  after.optimizer.clip_norm = 2.0F;
  EXPECT_EQ(difference(before, after), "table f1: clip_norm 0 became 2");
  after = before;
  after.optimizer.l2_mode = L2Mode::kPerExample;
  EXPECT_EQ(difference(before, after), "table f1: its l2_mode became another one");
  after = before;
  after.optimizer.kind = OptimizerKind::kAdam;
  EXPECT_EQ(difference(before, after), "table f1: optimizer adagrad became adam");
  after = before;
  after.dim = before.dim + 1;
  EXPECT_NE(difference(before, after), "");
}

}  // namespace
}  // namespace capstan
