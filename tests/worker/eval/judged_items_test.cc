#include "worker/eval/judged_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/worker/eval/tiny_dataset.h"

namespace capstan {
namespace {

using Items = std::vector<std::uint32_t>;

Items judged(const JudgedItems& rule, const Dataset& dataset, std::uint32_t user) {
  const UserItems seen = history_items(dataset, seen_before(rule.split));
  return rule.of(dataset, user, items_of(seen, user));
}

TEST(JudgedItems, FullRankingRemovesTrainAndAtTestValidation) {
  const Dataset dataset = ranking_dataset(6, {{0, 2}}, {{3}}, {{5}});
  EXPECT_EQ(judged({EvalSplit::kTest, 0, 1}, dataset, 0), (Items{1, 4, 5}));
  EXPECT_EQ(judged({EvalSplit::kValid, 0, 1}, dataset, 0), (Items{1, 3, 4, 5}));
  EXPECT_EQ(JudgedItems{}.protocol(dataset), "full ranking, seen removed");
  EXPECT_EQ(JudgedItems{.positive_from = 3.5}.protocol(dataset),
            "full ranking, seen removed, ratings below 3.5 taken as unseen");
}

TEST(JudgedItems, SampledNegativesAreUnknownToTheUser) {
  const Dataset dataset = random_dataset(3, 6, 60, 20);
  std::set<Items> draws;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const JudgedItems rule{EvalSplit::kTest, 9, seed};
    for (std::uint32_t user = 0; user < dataset.num_users; ++user) {
      const auto asked = dataset.test_items.of(user);
      Items items = judged(rule, dataset, user);
      EXPECT_TRUE(std::is_sorted(items.begin(), items.end()));
      EXPECT_EQ(items.size(), asked.size() + 9);
      EXPECT_EQ(std::set<std::uint32_t>(items.begin(), items.end()).size(), items.size());
      for (const std::uint32_t item : items) {
        EXPECT_FALSE(dataset.train_items.contains(user, item)) << "seed " << seed;
        EXPECT_FALSE(dataset.valid_items.contains(user, item)) << "seed " << seed;
      }
      EXPECT_TRUE(std::includes(items.begin(), items.end(), asked.begin(), asked.end()));
      if (user == 0) draws.insert(items);
    }
    EXPECT_EQ(judged(rule, dataset, 0), judged(rule, dataset, 0));
  }
  EXPECT_GT(draws.size(), 40U);
  EXPECT_EQ((JudgedItems{EvalSplit::kTest, 9, 1}.protocol(dataset)), "sampled: 9 negatives");
}

TEST(JudgedItems, AsManyNegativesAsThereAre) {
  const Dataset dataset = ranking_dataset(4, {{0}}, {}, {{3}});
  EXPECT_EQ(judged({EvalSplit::kTest, 99, 1}, dataset, 0), (Items{1, 2, 3}));
}

TEST(JudgedItems, GivenCandidatesLoseTheTestItemAndTheSeen) {
  Dataset dataset = ranking_dataset(8, {{0}}, {{1}}, {{7}});
  dataset.candidates = {{5, 7, 5, 0, 1, 2}};
  EXPECT_EQ(judged({EvalSplit::kTest, 0, 1}, dataset, 0), (Items{2, 5, 5, 7}));
  EXPECT_EQ(JudgedItems{}.protocol(dataset), "sampled: 6 given negatives");
  // They belong to the test split: validation stays a full ranking.
  EXPECT_EQ(judged({EvalSplit::kValid, 0, 1}, dataset, 0).size(), 7U);
}

}  // namespace
}  // namespace capstan
