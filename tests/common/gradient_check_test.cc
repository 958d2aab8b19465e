#include "common/gradient_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace capstan {
namespace {

TEST(GradientCheck, FindsTheFirstBadValue) {
  std::vector<float> values(1000, 1.0F);
  EXPECT_EQ(first_unusable(values), 1000U);
  EXPECT_EQ(first_unusable({}), 0U);
  values[999] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(first_unusable(values), 999U);
  values[700] = -2e18F;
  EXPECT_EQ(first_unusable(values), 700U);
  values[3] = std::nanf("");
  EXPECT_EQ(first_unusable(values), 3U);
}

}  // namespace
}  // namespace capstan
