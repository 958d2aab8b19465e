#include "worker/eval/threshold_metrics.h"

#include <gtest/gtest.h>

#include <vector>

namespace capstan {
namespace {

TEST(ThresholdMetrics, HandComputed) {
  const std::vector<float> scores = {0.9F, 0.5F, 0.4F, 0.6F, 0.1F};
  const std::vector<float> labels = {1, 1, 1, 0, 0};
  const Confusion counts = confusion(scores, labels, 0.5F);  // a score at the threshold is positive
  EXPECT_EQ(counts.true_positives, 2U);
  EXPECT_EQ(counts.false_positives, 1U);
  EXPECT_EQ(counts.true_negatives, 1U);
  EXPECT_EQ(counts.false_negatives, 1U);
  EXPECT_NEAR(counts.accuracy(), 3.0 / 5, 1e-12);
  EXPECT_NEAR(counts.precision(), 2.0 / 3, 1e-12);
  EXPECT_NEAR(counts.recall(), 2.0 / 3, 1e-12);
  EXPECT_NEAR(counts.f1(), 2.0 / 3, 1e-12);
}

TEST(ThresholdMetrics, F1IsTheHarmonicMean) {
  const Confusion counts{6, 2, 5, 10};
  const double precision = 6.0 / 8, recall = 6.0 / 16;
  EXPECT_NEAR(counts.f1(), 2 * precision * recall / (precision + recall), 1e-12);
}

TEST(ThresholdMetrics, NoDenominatorIsZero) {
  const Confusion none;
  EXPECT_EQ(none.accuracy(), 0.0);
  EXPECT_EQ(none.precision(), 0.0);
  EXPECT_EQ(none.recall(), 0.0);
  EXPECT_EQ(none.f1(), 0.0);
}

}  // namespace
}  // namespace capstan
