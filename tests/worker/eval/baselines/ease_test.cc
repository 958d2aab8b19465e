#include "worker/baselines/ease.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/eval/tiny_dataset.h"

namespace capstan {
namespace {

TEST(Ease, HandComputedWithTwoItems) {
  // X'X + 1 · I = [4 2; 2 3] (users 01, 01, 0), its inverse [3 -2; -2 4] / 8, so B(0, 1) = 2/4 and B(1, 0) =
  // 2/3.
  const Dataset dataset = ranking_dataset(3, {{0, 1}, {0, 1}, {0}}, {}, {{2}, {}, {}});
  Ease ease(1.0F);
  ASSERT_TRUE(ease.fit(dataset, History::kTrain).ok());
  std::vector<float> scores(3, 9.0F);
  ease.scores(std::vector<std::uint32_t>{0}, scores);
  EXPECT_NEAR(scores[0], 0.0, 1e-6);
  EXPECT_NEAR(scores[1], 0.5, 1e-6);
  EXPECT_EQ(scores[2], 0.0F);  // nobody has it
  ease.scores(std::vector<std::uint32_t>{1, 2}, scores);
  EXPECT_NEAR(scores[0], 2.0 / 3, 1e-6);
  EXPECT_EQ(ease.description(), "ease (lambda 1)");
}

// ½ |X - X b|² + ½ lambda |b|² of one column with b(j) = 0, which EASE claims to minimise: its gradient must
// vanish.
TEST(Ease, IsTheRidgeRegressionOfEachItemOnTheOthers) {
  const Dataset dataset = random_dataset(8, 30, 12, 8);
  constexpr float kLambda = 3.0F;
  Ease ease(kLambda);
  ASSERT_TRUE(ease.fit(dataset, History::kTrain).ok());
  std::vector<std::vector<float>> weights(12, std::vector<float>(12));
  for (std::uint32_t from = 0; from < 12; ++from)
    ease.scores(std::vector<std::uint32_t>{from}, weights[from]);
  for (std::uint32_t j = 0; j < 12; ++j) {
    EXPECT_EQ(weights[j][j], 0.0F);
    for (std::uint32_t i = 0; i < 12; ++i) {
      if (i == j) continue;
      double gradient = static_cast<double>(kLambda * weights[i][j]);
      for (std::uint32_t user = 0; user < 30; ++user) {
        if (!dataset.train_items.contains(user, i)) continue;
        double error = dataset.train_items.contains(user, j) ? -1.0 : 0.0;
        for (const std::uint32_t other : dataset.train_items.of(user))
          error += static_cast<double>(weights[other][j]);
        gradient += error;
      }
      EXPECT_NEAR(gradient, 0.0, 1e-4) << i << " " << j;
    }
  }
}

TEST(Ease, RemovingTheNamedItemLowersTheScoreByItsContribution) {
  const Dataset dataset = random_dataset(5, 40, 30, 15);
  Ease ease(10.0F);
  ASSERT_TRUE(ease.fit(dataset, History::kTrain).ok());
  const auto own = dataset.train_items.of(3);
  const std::vector<std::uint32_t> history(own.begin(), own.end());
  std::vector<float> before(30), after(30);
  ease.scores(history, before);
  std::size_t named = 0;
  for (const std::uint32_t item : dataset.test_items.of(3)) {
    for (const auto& reason : ease.reasons(history, item, 3)) {
      auto without = history;
      std::erase(without, reason.item);
      ease.scores(without, after);
      EXPECT_LT(after[item], before[item]);
      EXPECT_NEAR(static_cast<double>(before[item] - after[item]), reason.value, 1e-5);
      ++named;
    }
  }
  EXPECT_GT(named, 0U);
}

TEST(Ease, RefusesMoreItemsThanItTakes) {
  std::vector<std::uint32_t> all(Ease::kMostItems + 1);
  for (std::uint32_t item = 0; item < all.size(); ++item) all[item] = item;
  Ease ease(1.0F);
  const auto status =
      ease.fit(ranking_dataset(Ease::kMostItems + 2, {all}, {}, {{Ease::kMostItems + 1}}), History::kTrain);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("20000"), std::string::npos) << status.error().message;
  EXPECT_FALSE(Ease(0.0F).fit(ranking_dataset(2, {{0}}, {}, {{1}}), History::kTrain).ok());
}

}  // namespace
}  // namespace capstan
