#include "worker/eval/logloss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace capstan {
namespace {

TEST(Logloss, HandComputed) {
  const std::vector<float> probabilities = {0.5F, 0.25F, 0.75F};
  const std::vector<float> labels = {1, 0, 1};
  EXPECT_NEAR(logloss(probabilities, labels), -(std::log(0.5) + std::log(0.75) + std::log(0.75)) / 3, 1e-12);
}

TEST(Logloss, SoftLabelsMixBothSides) {
  EXPECT_NEAR(logloss(std::vector<float>{0.25F}, std::vector<float>{0.5F}),
              -0.5 * std::log(0.25) - 0.5 * std::log(0.75), 1e-12);
}

TEST(Logloss, ACertainMistakeIsClipped) {
  EXPECT_NEAR(logloss(std::vector<float>{0.0F}, std::vector<float>{1}), -std::log(1e-7), 1e-9);
  EXPECT_NEAR(logloss(std::vector<float>{1.0F}, std::vector<float>{0}), -std::log(1e-7), 1e-6);
  EXPECT_NEAR(logloss(std::vector<float>{1.0F}, std::vector<float>{1}), 0.0, 1e-6);
}

TEST(Logloss, NothingIsZero) {
  EXPECT_EQ(logloss(std::vector<float>{}, std::vector<float>{}), 0.0);
}

}  // namespace
}  // namespace capstan
