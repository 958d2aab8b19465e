#include "worker/eval/curves.h"

#include <gtest/gtest.h>

#include "common/rng.h"
#include "worker/eval/auc.h"

namespace capstan {
namespace {

using Values = std::vector<float>;

void expect_points(const std::vector<CurvePoint>& curve,
                   const std::vector<std::pair<double, double>>& wanted) {
  ASSERT_EQ(curve.size(), wanted.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_NEAR(curve[i].x, wanted[i].first, 1e-12) << i;
    EXPECT_NEAR(curve[i].y, wanted[i].second, 1e-12) << i;
  }
}

// By hand: .9 is positive, the tie at .5 has one of each, .1 is negative.
TEST(Curves, ByHandWithATie) {
  const Curves curves = classifier_curves(Values{0.5F, 0.9F, 0.1F, 0.5F}, Values{1, 1, 0, 0}, 100);
  expect_points(curves.roc, {{0, 0}, {0, 0.5}, {0.5, 1}, {1, 1}});
  expect_points(curves.precision_recall, {{0.5, 1}, {1, 2.0 / 3}, {1, 0.5}});
  EXPECT_EQ(curves.positives, 0.5);
}

TEST(Curves, OneClassHasNone) {
  EXPECT_TRUE(classifier_curves(Values{1, 2}, Values{1, 1}, 10).roc.empty());
  EXPECT_TRUE(classifier_curves(Values{}, Values{}, 10).roc.empty());
}

// What is left of many points still holds nearly the same area.
TEST(Curves, ThinnedTheyKeepTheirArea) {
  Rng rng(1);
  Values scores, labels;
  for (int i = 0; i < 20000; ++i) {
    labels.push_back(rng.chance(0.3) ? 1.0F : 0.0F);
    scores.push_back(static_cast<float>(static_cast<double>(labels.back()) + rng.normal()));
  }
  const Curves curves = classifier_curves(scores, labels, 200);
  EXPECT_LE(curves.roc.size(), 202U);
  EXPECT_GT(curves.roc.size(), 150U);
  double area = 0.0;
  for (std::size_t i = 1; i < curves.roc.size(); ++i)
    area += (curves.roc[i].x - curves.roc[i - 1].x) * (curves.roc[i].y + curves.roc[i - 1].y) / 2;
  EXPECT_NEAR(area, *auc(scores, labels), 1e-3);
  EXPECT_EQ(curves.roc.back().x, 1.0);
  EXPECT_EQ(curves.roc.back().y, 1.0);
}

}  // namespace
}  // namespace capstan
