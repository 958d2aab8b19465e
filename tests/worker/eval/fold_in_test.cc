#include "worker/eval/fold_in.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "common/rng.h"

namespace capstan {
namespace {

using Items = std::vector<std::uint32_t>;

std::vector<float> random_vectors(std::uint64_t seed, std::size_t items, std::uint32_t width) {
  Rng rng(seed);
  std::vector<float> vectors(items * width);
  for (float& value : vectors) value = static_cast<float>(rng.normal());
  return vectors;
}

TEST(FoldIn, HandComputedInOneDimension) {
  // Centred: -1, 0, 1, 0; their normal matrix and mean eigenvalue are 2. Scores follow the first column
  // alone, so every λ fits equally well and c makes the sum over the history, -1, the score of the item:
  // c·A^-1 = 3.
  const std::vector<float> vectors = {1, 9, 2, 7, 3, 8, 2, 0};
  const auto fold_in = FoldIn::create(vectors, 2, 1);
  ASSERT_TRUE(fold_in.ok());
  const UserFoldIn user = fold_in->user(Items{0, 1}, std::vector<float>{13, 10, 7, 10});
  EXPECT_NEAR(user.contribution(0, 0), 3.0, 1e-9);
  EXPECT_NEAR(user.contribution(0, 2), -3.0, 1e-9);
  EXPECT_NEAR(user.contribution(1, 2), 0.0, 1e-9);
  EXPECT_EQ(user.contribution(2, 0), 0.0) << "not of the history";
}

// (A^-1 b) by Gauss-Jordan with A = normal + reg · I.
std::vector<double> solve(std::vector<std::vector<double>> a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = a[i][i];
    for (double& value : a[i]) value /= pivot;
    b[i] /= pivot;
    for (std::size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = a[k][i];
      for (std::size_t j = 0; j < n; ++j) a[k][j] -= factor * a[i][j];
      b[k] -= factor * b[i];
    }
  }
  return b;
}

// Scores that are a fold-in with λ = 0.1 mean eigenvalues and c = 2.5: exactly that is found again.
TEST(FoldIn, FindsThePenaltyAndTheScaleThatTheScoresHave) {
  constexpr std::uint32_t kDim = 3, kItems = 30;
  const auto vectors = random_vectors(5, kItems, kDim);
  const Items history = {1, 4, 6};
  std::vector<std::vector<double>> centred(kItems, std::vector<double>(kDim));
  std::vector<double> sum(kDim);
  for (std::uint32_t d = 0; d < kDim; ++d) {
    double mean = 0.0;
    for (std::uint32_t i = 0; i < kItems; ++i) mean += static_cast<double>(vectors[i * kDim + d]) / kItems;
    for (std::uint32_t i = 0; i < kItems; ++i)
      centred[i][d] = static_cast<double>(vectors[i * kDim + d]) - mean;
    for (const auto i : history) sum[d] += centred[i][d];
  }
  std::vector<std::vector<double>> normal(kDim, std::vector<double>(kDim));
  double trace = 0.0;
  for (std::uint32_t a = 0; a < kDim; ++a) {
    for (std::uint32_t b = 0; b < kDim; ++b) {
      for (const auto& item : centred) normal[a][b] += item[a] * item[b];
    }
    trace += normal[a][a];
  }
  for (std::uint32_t a = 0; a < kDim; ++a) normal[a][a] += 0.1 * trace / kDim;
  const auto taste = solve(normal, sum);
  std::vector<float> scores;
  for (const auto& item : centred) {
    scores.push_back(
        static_cast<float>(7.0 + 2.5 * std::inner_product(item.begin(), item.end(), taste.begin(), 0.0)));
  }
  const auto fold_in = FoldIn::create(vectors, kDim, kDim);
  ASSERT_TRUE(fold_in.ok());
  const UserFoldIn user = fold_in->user(history, scores);
  for (const std::uint32_t to : {0U, 6U, 20U}) {
    double all = 0.0;
    for (const auto from : history) all += user.contribution(from, to);
    EXPECT_NEAR(7.0 + all, static_cast<double>(scores[to]), 1e-5);
    const auto of_one = solve(normal, centred[4]);
    EXPECT_NEAR(user.contribution(4, to),
                2.5 * std::inner_product(of_one.begin(), of_one.end(), centred[to].begin(), 0.0), 1e-5);
  }
}

TEST(FoldIn, ReasonsAreTheLargestPositiveContributions) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto vectors = random_vectors(seed, 40, 7);
    const auto fold_in = FoldIn::create(vectors, 7, 6);
    const Items history = {3, 8, 11, 17, 29};
    const std::uint32_t recommended = 35;
    const auto scores = random_vectors(seed + 100, 40, 1);
    const UserFoldIn user = fold_in->user(history, scores);
    const auto reasons = user.reasons(recommended, 2, Items{8});
    for (const auto& reason : reasons) {
      EXPECT_GT(reason.value, 0.0) << seed;
      EXPECT_NE(reason.item, 8U) << seed;
      EXPECT_EQ(reason.value, user.contribution(reason.item, recommended)) << seed;
    }
    for (const auto item : history) {
      const bool named = std::any_of(reasons.begin(), reasons.end(), [&](auto& r) { return r.item == item; });
      if (!named && item != 8 && reasons.size() == 2) {
        EXPECT_LE(user.contribution(item, recommended), reasons[1].value) << seed;
      }
    }
  }
}

TEST(FoldIn, NoReasonWhereTheScoresGoAgainstTheHistory) {
  const std::vector<float> vectors = {1, 2, 3, 4};
  const auto fold_in = FoldIn::create(vectors, 1, 1);
  const UserFoldIn user = fold_in->user(Items{3}, std::vector<float>{4, 3, 2, 1});
  EXPECT_TRUE(user.reasons(2, 5, {}).empty());
  EXPECT_TRUE(fold_in->user({}, std::vector<float>{4, 3, 2, 1}).reasons(2, 5, {}).empty());
}

TEST(FoldIn, RefusesWhatItCannotSolve) {
  EXPECT_FALSE(FoldIn::create(std::vector<float>{1, 2, 3}, 2, 2).ok());
  EXPECT_FALSE(FoldIn::create(std::vector<float>{1, 2}, 1, 2).ok());
  EXPECT_FALSE(FoldIn::create(std::vector<float>{1, 2}, 1, 0).ok());
  EXPECT_FALSE(FoldIn::create(std::vector<float>{1, std::numeric_limits<float>::infinity()}, 1, 1).ok());
}

}  // namespace
}  // namespace capstan
