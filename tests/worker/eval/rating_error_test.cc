#include "worker/eval/rating_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace capstan {
namespace {

TEST(RatingError, HandComputed) {
  const std::vector<float> predictions = {3, 4, 1}, labels = {5, 4, 2};
  EXPECT_NEAR(rmse(predictions, labels), std::sqrt(5.0 / 3), 1e-12);
  EXPECT_NEAR(mae(predictions, labels), 1.0, 1e-12);
}

TEST(RatingError, NothingIsZero) {
  EXPECT_EQ(rmse(std::vector<float>{}, std::vector<float>{}), 0.0);
  EXPECT_EQ(mae(std::vector<float>{}, std::vector<float>{}), 0.0);
}

TEST(RatingError, LargeNumbersKeepTheirPrecision) {
  const std::vector<float> predictions(1000000, 16777216.0F), labels(1000000, 16777215.0F);
  EXPECT_NEAR(mae(predictions, labels), 1.0, 1e-9);
  EXPECT_NEAR(rmse(predictions, labels), 1.0, 1e-9);
}

}  // namespace
}  // namespace capstan
