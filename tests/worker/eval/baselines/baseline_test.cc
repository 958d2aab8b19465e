#include "worker/baselines/baseline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/worker/eval/tiny_dataset.h"
#include "worker/baselines/evaluate_baseline.h"

namespace capstan {
namespace {

RankingOptions usual_options() {
  RankingOptions options;
  options.trained_on = History::kTrainValid;
  options.metrics = *metrics_of(EvaluateConfig{}, Task::kRanking);
  return options;
}

TEST(Baseline, EveryNameMakesOneThatKnowsIt) {
  for (const std::string_view name : baseline_names()) {
    const auto baseline = make_baseline(name, {});
    ASSERT_TRUE(baseline.ok()) << name;
    EXPECT_EQ((*baseline)->name(), name);
  }
  const auto unknown = make_baseline("itemknn", {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("item_knn"), std::string::npos);
}

// The laws of every baseline: finite scores, true reasons, one result for every partitioning.
TEST(Baseline, ReasonsAreWhatTheScoreLosesWithoutTheItem) {
  const Dataset dataset = random_dataset(2, 40, 60, 20);
  const UserItems known = history_items(dataset, History::kTrainValid);
  for (const std::string_view name : baseline_names()) {
    auto baseline = std::move(make_baseline(name, {})).value();
    ASSERT_TRUE(baseline->fit(dataset, History::kTrainValid).ok());
    std::vector<float> before(60), after(60);
    for (std::uint32_t user = 0; user < 5; ++user) {
      const std::vector<std::uint32_t> history(known.of(user).begin(), known.of(user).end());
      baseline->scores(history, before);
      for (const float score : before) ASSERT_TRUE(std::isfinite(score)) << name;
      for (const std::uint32_t item : dataset.test_items.of(user)) {
        for (const auto& reason : baseline->reasons(history, item, 3)) {
          auto without = history;
          std::erase(without, reason.item);
          baseline->scores(without, after);
          EXPECT_LT(after[item], before[item]) << name;
          EXPECT_NEAR(static_cast<double>(before[item] - after[item]), reason.value, 1e-5) << name;
        }
      }
    }
  }
}

TEST(Baseline, PartitionsOfUsersMergeToTheSameFigures) {
  const Dataset dataset = random_dataset(3, 200, 50, 20);
  for (const std::string_view name : baseline_names()) {
    auto baseline = std::move(make_baseline(name, {})).value();
    ASSERT_TRUE(baseline->fit(dataset, History::kTrainValid).ok());
    const auto whole = merge({*evaluate_baseline(*baseline, dataset, usual_options(), 0, 1)});
    std::vector<RankingPart> parts;
    for (std::uint32_t p = 0; p < 3; ++p) {
      parts.push_back(*evaluate_baseline(*baseline, dataset, usual_options(), p, 3));
    }
    EXPECT_EQ(to_json(*whole), to_json(*merge(parts))) << name;
    EXPECT_EQ(whole->users.users.size(), 200U);
  }
}

}  // namespace
}  // namespace capstan
