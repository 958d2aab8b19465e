#include "worker/eval/ranking_evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/worker/eval/tiny_dataset.h"

namespace capstan {
namespace {

RankingOptions options_for(std::vector<std::string> names, std::vector<std::uint32_t> at) {
  EvaluateConfig config;
  config.metrics = std::move(names);
  config.at = std::move(at);
  RankingOptions options;
  options.metrics = *metrics_of(config, Task::kRanking);
  return options;
}

RankingSummary summary_of(RankingEvaluator& evaluator) {
  return *merge({evaluator.take()});
}

TEST(RankingEvaluator, HandComputed) {
  // User 0 knows 0 and 1; items 2..4 are ranked 4, 2, 3; asked for 2 and 3.
  const Dataset dataset = ranking_dataset(5, {{0, 1}, {2, 3, 4}}, {}, {{2, 3}, {}});
  auto evaluator = RankingEvaluator::create(dataset, options_for({}, {2}));
  ASSERT_TRUE(evaluator.ok());
  EXPECT_EQ(std::vector<std::uint32_t>(evaluator->users().begin(), evaluator->users().end()),
            (std::vector<std::uint32_t>{0}));
  const std::vector<float> scores = {9, 8, 2, 1, 3};
  ASSERT_TRUE(evaluator->add(evaluator->users(), scores).ok());
  const auto summary = summary_of(*evaluator);
  EXPECT_EQ(summary.users.lists, (std::vector<std::uint32_t>{4, 2}));
  EXPECT_NEAR(summary.metrics.at("hr@2"), 1, 1e-12);
  EXPECT_NEAR(summary.metrics.at("recall@2"), 0.5, 1e-12);
  EXPECT_NEAR(summary.metrics.at("precision@2"), 0.5, 1e-12);
  const double second = 1 / std::log2(3.0);
  EXPECT_NEAR(summary.metrics.at("ndcg@2"), second / (1 + second), 1e-12);
  EXPECT_NEAR(summary.metrics.at("mrr@2"), 0.5, 1e-12);
  EXPECT_NEAR(summary.metrics.at("map@2"), 0.25, 1e-12);
  EXPECT_NEAR(summary.metrics.at("novelty@2"), 1.0, 1e-12);  // one user of two has each
  EXPECT_NEAR(summary.metrics.at("coverage@2"), 0.4, 1e-12);
}

// Beside each other stand models of which one was trained on validation too.
TEST(RankingEvaluator, NoveltyHasOneScaleWhateverAModelWasTrainedOn) {
  const Dataset dataset = ranking_dataset(3, {{0}, {0}, {0}}, {{1}, {1}, {}}, {{2}, {2}, {1}});
  for (const History trained_on : {History::kTrain, History::kTrainValid}) {
    RankingOptions options = options_for({"novelty"}, {1});
    options.trained_on = trained_on;
    auto evaluator = RankingEvaluator::create(dataset, options);
    ASSERT_TRUE(evaluator->add(std::vector<std::uint32_t>{2}, std::vector<float>{0, 2, 1}).ok());
    EXPECT_NEAR(summary_of(*evaluator).metrics.at("novelty@1"), std::log2(3.0), 1e-12)
        << "of three users none had it in training, taken as one";
  }
}

TEST(RankingEvaluator, TiedScoresCountTheirChance) {
  const Dataset dataset = ranking_dataset(6, {{0}, {1, 2, 3, 4, 5}}, {}, {{3}, {}});
  auto evaluator = RankingEvaluator::create(dataset, options_for({"recall"}, {2}));
  ASSERT_TRUE(evaluator->add(evaluator->users(), std::vector<float>{9, 1, 1, 1, 1, 1}).ok());
  EXPECT_NEAR(summary_of(*evaluator).metrics.at("recall@2"), 0.4, 1e-12);
}

TEST(RankingEvaluator, ACatalogueOfOneScoreEarnsNothingBeyondChance) {
  // Were ties broken by item id, the low test items would all be hits.
  ItemLists train(20), test(20);
  for (std::uint32_t user = 0; user < 20; ++user) {
    train[user] = {50 + user, 49};
    test[user] = {user % 5};
  }
  for (std::uint32_t item = 0; item < 49; ++item) train[0].push_back(item);
  test[0].clear();
  const Dataset dataset = ranking_dataset(100, train, {}, test);
  auto evaluator = RankingEvaluator::create(dataset, options_for({"hr"}, {10}));
  const std::vector<float> zeros(evaluator->users().size() * 100, 0.0F);
  ASSERT_TRUE(evaluator->add(evaluator->users(), zeros).ok());
  EXPECT_NEAR(summary_of(*evaluator).metrics.at("hr@10"), 10.0 / 98, 1e-12);
}

TEST(RankingEvaluator, ColdTestItemsAreMissesWithAWarmFigureBeside) {
  // Nobody has item 3 or 4 in train. User 0 is asked for 2 (warm) and 3 (cold), user 1 only for 4.
  const Dataset dataset = ranking_dataset(5, {{0}, {1, 2}}, {}, {{2, 3}, {4}});
  auto evaluator = RankingEvaluator::create(dataset, options_for({"recall", "ndcg"}, {1}));
  const std::vector<float> scores = {0, 0, 5, 1, 1, 0, 0, 0, 0, 9};
  ASSERT_TRUE(evaluator->add(evaluator->users(), scores).ok());
  const auto summary = summary_of(*evaluator);
  EXPECT_NEAR(summary.metrics.at("recall@1"), (0.5 + 0) / 2, 1e-12);
  EXPECT_NEAR(summary.warm_only.at("recall@1"), 1.0, 1e-12);
  EXPECT_EQ(summary.warm_users, 1U);
  EXPECT_EQ(summary.users.test_items, 3U);
  EXPECT_EQ(summary.users.cold_test_items, 2U);
}

TEST(RankingEvaluator, ValidationWarmsItemsOnlyForWhoTrainedOnIt) {
  const Dataset dataset = ranking_dataset(4, {{0}, {1}}, {{1}, {3}}, {{3}, {0}});
  auto options = options_for({"hr"}, {1});
  for (const auto& [trained_on, cold] :
       {std::pair{History::kTrain, 1U}, std::pair{History::kTrainValid, 0U}}) {
    options.trained_on = trained_on;
    auto evaluator = RankingEvaluator::create(dataset, options);
    ASSERT_TRUE(evaluator->add(evaluator->users(), std::vector<float>(8, 0.0F)).ok());
    EXPECT_EQ(summary_of(*evaluator).users.cold_test_items, cold);
  }
}

TEST(RankingEvaluator, NanScoresFailByName) {
  const Dataset dataset = ranking_dataset(3, {{0}, {0, 1, 2}}, {}, {{2}, {}});
  auto evaluator = RankingEvaluator::create(dataset, options_for({"hr"}, {1}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto status =
      evaluator->add(evaluator->users(), std::vector<float>{nan, 0, 0});  // even for a seen item
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("user 0 and item 0"), std::string::npos) << status.error().message;
  EXPECT_FALSE(evaluator->add_judged(0, std::vector<float>{0, nan}).ok());
  EXPECT_TRUE(evaluator->take().users.empty());
}

TEST(RankingEvaluator, ATestItemInTheHistoryIsAnError) {
  const Dataset in_train = ranking_dataset(3, {{0, 2}}, {}, {{2}});
  const Dataset in_valid = ranking_dataset(3, {{0}}, {{2}}, {{2}});
  const auto options = options_for({"hr"}, {1});
  EXPECT_FALSE(RankingEvaluator::create(in_train, options).ok());
  const auto refused = RankingEvaluator::create(in_valid, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("item 2 is asked of user 0"), std::string::npos);
  auto on_valid = options;
  on_valid.judged.split = EvalSplit::kValid;
  EXPECT_TRUE(RankingEvaluator::create(in_valid, on_valid).ok());
}

TEST(RankingEvaluator, ASplitWithoutItemsIsAnError) {
  EXPECT_FALSE(RankingEvaluator::create(ranking_dataset(3, {{0}}, {}, {{}}), options_for({"hr"}, {1})).ok());
}

TEST(RankingEvaluator, ListsAreShorterWhereFewItemsAreLeft) {
  const Dataset dataset = ranking_dataset(3, {{0, 1}, {2}}, {}, {{2}, {}});
  auto evaluator = RankingEvaluator::create(dataset, options_for({"hr", "novelty"}, {3}));
  ASSERT_TRUE(evaluator->add(evaluator->users(), std::vector<float>{1, 1, 1}).ok());
  EXPECT_EQ(evaluator->take().lists, (std::vector<std::uint32_t>{2, kNoItem, kNoItem}));
}

// Everything from definitions, sorted in full; scores without ties.
double ndcg_by_sorting(const Dataset& dataset, std::uint32_t user, std::span<const float> scores,
                       std::size_t k) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t item = 0; item < dataset.num_items; ++item) {
    if (!dataset.train_items.contains(user, item) && !dataset.valid_items.contains(user, item))
      order.push_back(item);
  }
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  const UserItems known = history_items(dataset, History::kTrainValid);
  const auto warm = users_per_item(known, dataset.num_users, dataset.num_items);
  double gain = 0, ideal = 0;
  for (std::size_t rank = 0; rank < std::min(k, order.size()); ++rank) {
    if (warm[order[rank]] > 0 && dataset.test_items.contains(user, order[rank]))
      gain += 1 / std::log2(static_cast<double>(rank) + 2);
  }
  for (std::size_t rank = 0; rank < std::min(k, dataset.test_items.of(user).size()); ++rank) {
    ideal += 1 / std::log2(static_cast<double>(rank) + 2);
  }
  return gain / ideal;
}

TEST(RankingEvaluator, EqualsSortingTheCatalogueHoweverUsersArePartitioned) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Dataset dataset = random_dataset(seed, 9, 40, 15);
    Rng rng(seed);
    std::vector<float> scores(9 * 40);
    for (float& score : scores) score = static_cast<float>(rng.normal());
    auto options = options_for({"ndcg", "coverage", "gini"}, {5});
    options.trained_on = History::kTrainValid;
    std::string first_json;
    for (const std::uint32_t partitions : {1U, 2U, 4U}) {
      std::vector<RankingPart> parts;
      for (std::uint32_t p = 0; p < partitions; ++p) {
        auto evaluator = RankingEvaluator::create(dataset, options);
        for (const std::uint32_t user : partition_of(evaluator->users(), p, partitions)) {
          ASSERT_TRUE(evaluator->add(std::span(&user, 1), std::span(scores).subspan(user * 40, 40)).ok());
        }
        parts.insert(parts.begin(), *decode_ranking_part(encode(evaluator->take()).bytes()));
      }
      const auto summary = *merge(parts);
      if (first_json.empty()) first_json = to_json(summary);
      EXPECT_EQ(to_json(summary), first_json) << "seed " << seed;
      const auto values = *column(summary.users, "ndcg@5");
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint32_t user = summary.users.users[i];
        EXPECT_NEAR(values[i], ndcg_by_sorting(dataset, user, std::span(scores).subspan(user * 40, 40), 5),
                    1e-9)
            << "seed " << seed;
      }
    }
  }
}

TEST(RankingEvaluator, SampledScoresGiveTheSameByEitherWay) {
  const Dataset dataset = random_dataset(4, 8, 50, 10);
  auto options = options_for({"hr", "ndcg"}, {3});
  options.judged.sampled_negatives = 10;
  auto by_rows = RankingEvaluator::create(dataset, options),
       by_judged = RankingEvaluator::create(dataset, options);
  Rng rng(1);
  for (const std::uint32_t user : by_rows->users()) {
    std::vector<float> row(50), judged;
    for (float& score : row) score = static_cast<float>(rng.below(20));
    for (const std::uint32_t item : by_judged->judged_items(user)) judged.push_back(row[item]);
    ASSERT_TRUE(by_rows->add(std::span(&user, 1), row).ok());
    ASSERT_TRUE(by_judged->add_judged(user, judged).ok());
  }
  EXPECT_EQ(by_rows->protocol(), "sampled: 10 negatives");
  EXPECT_EQ(to_json(summary_of(*by_rows)), to_json(summary_of(*by_judged)));
}

}  // namespace
}  // namespace capstan
