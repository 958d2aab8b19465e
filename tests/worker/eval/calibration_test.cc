#include "worker/eval/calibration.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(Calibration, RatioOfSums) {
  EXPECT_NEAR(*calibration_ratio(std::vector<float>{0.5F, 0.25F, 0.75F}, std::vector<float>{1, 0, 0}), 1.5,
              1e-7);
  EXPECT_FALSE(calibration_ratio(std::vector<float>{0.5F}, std::vector<float>{0}));
}

TEST(Calibration, ErrorOfTwoEqualMassBins) {
  const std::vector<float> probabilities = {0.75F, 0.125F, 1.0F, 0.25F};
  const std::vector<float> labels = {0, 0, 1, 1};
  // Lower bin: predicted .375, observed 1; upper bin: predicted 1.75, observed 1.
  EXPECT_NEAR(expected_calibration_error(probabilities, labels, 2), (0.625 + 0.75) / 4, 1e-12);
}

TEST(Calibration, BinsHoldTheMeansThatTheErrorIsMadeOf) {
  const std::vector<float> probabilities = {0.75F, 0.125F, 1.0F, 0.25F};
  const auto bins = reliability(probabilities, std::vector<float>{0, 0, 1, 1}, 2);
  ASSERT_EQ(bins.size(), 2U);
  EXPECT_NEAR(bins[0].predicted, 0.1875, 1e-12);
  EXPECT_NEAR(bins[0].observed, 0.5, 1e-12);
  EXPECT_EQ(bins[1].examples, 2U);
  EXPECT_EQ(reliability(probabilities, std::vector<float>{0, 0, 1, 1}, 9).size(), 4U);  // none is empty
}

TEST(Calibration, ErrorDoesNotDependOnTheOrderOfTies) {
  const std::vector<float> probabilities(4, 0.5F);
  EXPECT_NEAR(expected_calibration_error(probabilities, std::vector<float>{1, 1, 0, 0}, 2), 0.0, 1e-12);
  EXPECT_NEAR(expected_calibration_error(probabilities, std::vector<float>{0, 1, 0, 1}, 2), 0.0, 1e-12);
}

TEST(Calibration, TrueProbabilitiesAreCalibratedAndHalvedOnesAreNot) {
  Rng rng(7);
  std::vector<float> probabilities, halved, labels;
  for (int i = 0; i < 200000; ++i) {
    probabilities.push_back(static_cast<float>(rng.uniform()));
    halved.push_back(probabilities.back() / 2);
    labels.push_back(rng.chance(static_cast<double>(probabilities.back())) ? 1.0F : 0.0F);
  }
  EXPECT_LT(expected_calibration_error(probabilities, labels, 20), 0.01);
  EXPECT_NEAR(*calibration_ratio(probabilities, labels), 1.0, 0.01);
  EXPECT_NEAR(expected_calibration_error(halved, labels, 20), 0.25, 0.01);
  EXPECT_NEAR(*calibration_ratio(halved, labels), 0.5, 0.01);
}

TEST(Calibration, MoreBinsThanExamples) {
  EXPECT_NEAR(expected_calibration_error(std::vector<float>{0.25F, 0.5F}, std::vector<float>{0, 1}, 10),
              0.375, 1e-12);
  EXPECT_EQ(expected_calibration_error(std::vector<float>{}, std::vector<float>{}, 10), 0.0);
}

}  // namespace
}  // namespace capstan
