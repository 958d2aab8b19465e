#include "worker/baselines/item_knn.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/eval/tiny_dataset.h"
#include "worker/baselines/evaluate_baseline.h"

namespace capstan {
namespace {

TEST(ItemKnn, ScoresByTheNeighboursOfTheTarget) {
  // Item 0 has the neighbours 1 (2 shared of 3·2 users) and 2 (1 of 3·1); with k = 1 only item 1 lends to
  // item 0, but item 0 is the one neighbour of both and lends to both.
  const Dataset dataset = ranking_dataset(3, {{0, 1}, {0, 1}, {0, 2}}, {}, {{2}, {2}, {1}});
  ItemKnn knn({1, 0.0F});
  ASSERT_TRUE(knn.fit(dataset, History::kTrain).ok());
  std::vector<float> scores(3, 99.0F);
  knn.scores(std::vector<std::uint32_t>{0}, scores);
  EXPECT_EQ(scores[0], 0.0F);
  EXPECT_NEAR(scores[1], 2 / std::sqrt(6.0), 1e-6);
  EXPECT_NEAR(scores[2], 1 / std::sqrt(3.0), 1e-6);
  knn.scores(std::vector<std::uint32_t>{1, 2}, scores);
  EXPECT_NEAR(scores[0], 2 / std::sqrt(6.0), 1e-6);
}

TEST(ItemKnn, RemovingTheNamedItemLowersTheScoreByItsContribution) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Dataset dataset = random_dataset(seed, 30, 40, 15);
    ItemKnn knn({10, 5.0F});
    ASSERT_TRUE(knn.fit(dataset, History::kTrainValid).ok());
    const UserItems known = history_items(dataset, History::kTrainValid);
    const std::uint32_t user = 4;
    const std::vector<std::uint32_t> history(known.of(user).begin(), known.of(user).end());
    std::vector<float> before(40), after(40);
    knn.scores(history, before);
    for (const std::uint32_t item : dataset.test_items.of(user)) {
      double sum = 0;
      for (const auto& reason : knn.reasons(history, item, 100)) {
        auto without = history;
        std::erase(without, reason.item);
        knn.scores(without, after);
        EXPECT_LT(after[item], before[item]) << "seed " << seed;
        EXPECT_NEAR(static_cast<double>(before[item] - after[item]), reason.value, 1e-5) << "seed " << seed;
        sum += reason.value;
      }
      EXPECT_NEAR(sum, static_cast<double>(before[item]), 1e-5) << "seed " << seed;
    }
  }
}

TEST(ItemKnn, FindsTheTastesThatPopularityCannotSee) {
  const Dataset dataset = random_dataset(1, 60, 60, 20);
  EvaluateConfig config;
  RankingOptions options;
  options.trained_on = History::kTrainValid;
  options.metrics = *metrics_of(config, Task::kRanking);
  std::map<std::string_view, double> ndcg;
  for (const std::string_view name : {"most_popular", "item_knn"}) {
    auto baseline = std::move(make_baseline(name, {})).value();
    ASSERT_TRUE(baseline->fit(dataset, History::kTrainValid).ok());
    const auto part = evaluate_baseline(*baseline, dataset, options, 0, 1);
    ASSERT_TRUE(part.ok()) << part.error().message;
    ndcg[name] = merge({*part})->metrics.at("ndcg@10");
  }
  EXPECT_GT(ndcg["item_knn"], 1.3 * ndcg["most_popular"]);
}

// Settings that are best on validation by evaluating each on its own.
ItemKnnSettings tuned_by_hand(const Dataset& dataset) {
  RankingOptions options;
  options.judged.split = EvalSplit::kValid;
  options.metrics = {*parse_metric("ndcg@10", Task::kRanking, 10)};
  ItemKnnSettings best;
  double best_value = -1;
  for (const float shrink : {0.0F, 10.0F, 100.0F}) {
    for (const std::uint32_t k : {20U, 100U, 1000U}) {
      ItemKnn knn({k, shrink});
      EXPECT_TRUE(knn.fit(dataset, History::kTrain).ok());
      const double value = merge({*evaluate_baseline(knn, dataset, options, 0, 1)})->metrics.at("ndcg@10");
      if (value > best_value) {
        best_value = value;
        best = {k, shrink};
      }
    }
  }
  return best;
}

TEST(ItemKnn, IsTunedOnValidationAlone) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Dataset dataset = random_dataset(seed, 40, 300, 30);
    const ItemKnnSettings expected = tuned_by_hand(dataset);
    dataset.test_items = user_items(ItemLists(40));  // tuning cannot have looked at test
    ItemKnn knn;
    ASSERT_TRUE(knn.fit(dataset, History::kTrainValid).ok());
    EXPECT_EQ(knn.settings().k, expected.k) << "seed " << seed;
    EXPECT_EQ(knn.settings().shrink, expected.shrink) << "seed " << seed;
  }
}

TEST(ItemKnn, WithoutValidationTheDefaultsStand) {
  const Dataset dataset = ranking_dataset(3, {{0, 1}}, {}, {{2}});
  ItemKnn knn;
  ASSERT_TRUE(knn.fit(dataset, History::kTrain).ok());
  EXPECT_EQ(knn.description(), "item_knn (k 100, shrink 10)");
  EXPECT_FALSE(tune_item_knn(dataset).ok());
}

}  // namespace
}  // namespace capstan
