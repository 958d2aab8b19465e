// bucketise, log, zscore, minmax: fitted on the training rows and on nothing else.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/data/transforms/run_transform.h"

namespace capstan {
namespace {

TEST(BucketiseTransform, GivenBoundariesBelongToTheUpperBucket) {
  const auto output = run_transform({"bucketise", {{"boundaries", "[0, 10.5]"}}},
                                    {numbers({-1, 0, 10.4, 10.5, kMissing})}, 0);
  EXPECT_EQ(output.keys, (Keys{1, 2, 2, 3, 0}));
  EXPECT_EQ(output.cardinality, 4U);
}

TEST(BucketiseTransform, QuantilesComeFromTrain) {
  // Train 0..8: quartiles 2, 4, 6. The last two rows are no train rows.
  const auto output = run_transform({"bucketise", {{"quantiles", "4"}}},
                                    {numbers({8, 7, 6, 5, 4, 3, 2, 1, 0, -100, 1e9})}, 9);
  EXPECT_EQ(output.keys, (Keys{4, 4, 4, 3, 3, 2, 2, 1, 1, 1, 4}));
}

TEST(BucketiseTransform, EqualQuantilesMakeOneBoundary) {
  const auto output = run_transform({"bucketise", {{"quantiles", "4"}}}, {numbers({1, 1, 1, 1, 9})}, 5);
  EXPECT_EQ(output.keys, (Keys{2, 2, 2, 2, 2}));
  EXPECT_EQ(output.cardinality, 3U);
}

TEST(BucketiseTransform, OptionsAreChecked) {
  EXPECT_EQ(error_of({"bucketise", {{"boundaries", "2, 1"}}}, {numbers({1})}),
            "bucketise: boundaries must ascend");
  EXPECT_EQ(error_of({"bucketise", {{"boundaries", "2, x"}}}, {numbers({1})}),
            "bucketise: boundaries '2, x' is not a list of numbers");
  EXPECT_EQ(error_of({"bucketise", {{"boundaries", "2"}, {"quantiles", "3"}}}, {numbers({1})}),
            "bucketise: give boundaries or quantiles, not both");
}

TEST(LogTransform, KeepsTheSign) {
  const auto output = run_transform({"log", {}}, {numbers({0, 1, -3, kMissing})}, 4);
  EXPECT_DOUBLE_EQ(output.numbers[0], 0.0);
  EXPECT_DOUBLE_EQ(output.numbers[1], std::log(2.0));
  EXPECT_DOUBLE_EQ(output.numbers[2], -std::log(4.0));
  EXPECT_TRUE(std::isnan(output.numbers[3]));
}

TEST(ZscoreTransform, UsesTheTrainMean) {
  // Train 2, 4, 6: mean 4, deviation sqrt(8/3).
  const auto output = run_transform({"zscore", {}}, {numbers({2, 4, 6, kMissing, 100})}, 4);
  const double scale = 1.0 / std::sqrt(8.0 / 3.0);
  EXPECT_DOUBLE_EQ(output.numbers[0], -2.0 * scale);
  EXPECT_DOUBLE_EQ(output.numbers[4], 96.0 * scale);
  EXPECT_TRUE(std::isnan(output.numbers[3]));
  EXPECT_EQ(run_transform({"zscore", {}}, {numbers({7, 7, 9})}, 2).numbers[2], 0.0);
}

TEST(MinmaxTransform, HoldsToTheTrainRange) {
  const auto output = run_transform({"minmax", {}}, {numbers({10, 20, 15, 30, -5})}, 3);
  EXPECT_EQ(output.numbers, (std::vector<double>{0.0, 1.0, 0.5, 1.0, 0.0}));
}

TEST(Quantile, IsLinearBetweenNeighbours) {
  const std::vector<double> sorted = {1, 2, 4};
  EXPECT_EQ(quantile(sorted, 0.0), 1.0);
  EXPECT_EQ(quantile(sorted, 0.25), 1.5);
  EXPECT_EQ(quantile(sorted, 0.75), 3.0);
  EXPECT_EQ(quantile(sorted, 1.0), 4.0);
}

}  // namespace
}  // namespace capstan
