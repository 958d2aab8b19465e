#include "worker/eval/fold_in_explainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "common/rng.h"

namespace capstan {
namespace {

std::vector<float> random_vectors(std::uint64_t seed, std::size_t items, std::uint32_t dim) {
  Rng rng(seed);
  std::vector<float> vectors(items * dim);
  for (float& value : vectors) value = static_cast<float>(rng.normal());
  return vectors;
}

TEST(FoldInExplainer, HandComputedInOneDimension) {
  // A = 1 + 4 + 9 + 2 = 16; score of item 2 from items 0 and 1: 3 · (1 + 2) / 16.
  const auto explainer = FoldInExplainer::create(std::vector<float>{1, 2, 3}, 1, 2.0);
  ASSERT_TRUE(explainer.ok());
  EXPECT_NEAR(explainer->score(std::vector<std::uint32_t>{0, 1}, 2), 9.0 / 16, 1e-12);
  const auto reasons = explainer->reasons(std::vector<std::uint32_t>{0, 1}, 2, 5);
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_EQ(reasons[0].item, 1U);
  EXPECT_NEAR(reasons[0].value, 6.0 / 16, 1e-12);
}

TEST(FoldInExplainer, TheScoreIsTheRidgeRegressionsOwn) {
  // Gradient descent on ½ Σ_j (x_j - w·h_j)² + ½ reg w² must stop at the same scores.
  constexpr std::uint32_t kDim = 3, kItems = 8;
  const auto vectors = random_vectors(5, kItems, kDim);
  const std::vector<std::uint32_t> history = {1, 4, 6};
  std::vector<double> w(kDim, 0.0);
  for (int step = 0; step < 20000; ++step) {
    std::vector<double> gradient(kDim);
    for (std::uint32_t d = 0; d < kDim; ++d) gradient[d] = 0.5 * w[d];
    for (std::uint32_t item = 0; item < kItems; ++item) {
      double error = std::find(history.begin(), history.end(), item) != history.end() ? -1.0 : 0.0;
      for (std::uint32_t d = 0; d < kDim; ++d) error += w[d] * static_cast<double>(vectors[item * kDim + d]);
      for (std::uint32_t d = 0; d < kDim; ++d)
        gradient[d] += error * static_cast<double>(vectors[item * kDim + d]);
    }
    for (std::uint32_t d = 0; d < kDim; ++d) w[d] -= 0.01 * gradient[d];
  }
  const auto explainer = FoldInExplainer::create(vectors, kDim, 0.5);
  for (std::uint32_t item = 0; item < kItems; ++item) {
    double expected = 0;
    for (std::uint32_t d = 0; d < kDim; ++d) expected += w[d] * static_cast<double>(vectors[item * kDim + d]);
    EXPECT_NEAR(explainer->score(history, item), expected, 1e-8);
  }
}

TEST(FoldInExplainer, RemovingTheNamedItemLowersTheScoreByItsContribution) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto explainer = FoldInExplainer::create(random_vectors(seed, 40, 6), 6, 1.0);
    std::vector<std::uint32_t> history = {3, 8, 11, 17, 29};
    const std::uint32_t recommended = 35;
    const double before = explainer->score(history, recommended);
    for (const auto& reason : explainer->reasons(history, recommended, 3)) {
      auto without = history;
      std::erase(without, reason.item);
      const double after = explainer->score(without, recommended);
      EXPECT_LT(after, before) << "seed " << seed;
      EXPECT_NEAR(before - after, reason.value, 1e-10) << "seed " << seed;
    }
  }
}

TEST(FoldInExplainer, AnItemIsNoReasonForItself) {
  const auto explainer = FoldInExplainer::create(std::vector<float>{1, 2, 3}, 1, 2.0);
  for (const auto& reason : explainer->reasons(std::vector<std::uint32_t>{0, 2}, 2, 5))
    EXPECT_EQ(reason.item, 0U);
}

TEST(FoldInExplainer, RefusesWhatItCannotSolve) {
  EXPECT_FALSE(FoldInExplainer::create(std::vector<float>{1, 2, 3}, 2, 1.0).ok());
  EXPECT_FALSE(FoldInExplainer::create(std::vector<float>{1, 2}, 0, 1.0).ok());
  EXPECT_FALSE(FoldInExplainer::create(std::vector<float>{1, 2}, 2, 0.0).ok());
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(FoldInExplainer::create(std::vector<float>{1, infinity}, 2, 1.0).ok());
}

}  // namespace
}  // namespace capstan
