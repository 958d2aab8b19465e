// Group metrics by hand, against naive formulas, and on planted data.
#include "worker/eval/group_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(GroupsOf, ByNameOrByBounds) {
  const Groups named = groups_of({"M", "F", "", "M"});
  EXPECT_EQ(named.names, (std::vector<std::string>{"F", "M"}));
  EXPECT_EQ(named.of, (std::vector<std::uint32_t>{1, 0, kNoGroup, 1}));
  const Groups bands = groups_of({"17", "18", "25.5", "x", "", "30"}, {18, 25});
  EXPECT_EQ(bands.names, (std::vector<std::string>{"below 18", "18 to below 25", "25 and above"}));
  EXPECT_EQ(bands.of, (std::vector<std::uint32_t>{0, 1, 2, kNoGroup, kNoGroup, 2}));
}

TEST(CompareGroups, MeansAndDifferenceFromAllOthers) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values = {1.0, 0.0, 0.5, 0.25, none, 9.0};
  const std::vector<std::uint32_t> group = {0, 0, 1, 2, 1, kNoGroup};
  const auto figures = compare_groups(values, group, {"a", "b", "c", "nobody"}, {200, 0.95, 1});
  ASSERT_EQ(figures.size(), 3U);
  EXPECT_EQ(figures[0].users, 2U);
  EXPECT_DOUBLE_EQ(figures[0].mean.estimate, 0.5);
  EXPECT_DOUBLE_EQ(figures[0].difference.estimate, 0.5 - 0.375);
  EXPECT_EQ(figures[1].users, 1U);
  EXPECT_DOUBLE_EQ(figures[1].difference.estimate, 0.5 - 1.25 / 3.0);
}

TEST(CompareGroups, ThePlantedGapLiesInTheIntervalAndNoneWithoutOne) {
  Rng rng(5);
  std::vector<double> values, even;
  std::vector<std::uint32_t> group;
  for (int user = 0; user < 2000; ++user) {
    group.push_back(user % 3 == 0 ? 0U : 1U);
    even.push_back(rng.uniform());
    values.push_back(even.back() - (group.back() == 0 ? 0.1 : 0.0));
  }
  const auto gap = compare_groups(values, group, {"a", "b"}, {500, 0.95, 2});
  EXPECT_LT(gap[0].difference.low, -0.1);
  EXPECT_GT(gap[0].difference.high, -0.1);
  EXPECT_LT(gap[0].difference.high, 0.0);
  const auto none = compare_groups(even, group, {"a", "b"}, {500, 0.95, 2});
  EXPECT_LT(none[0].difference.low, 0.0);
  EXPECT_GT(none[0].difference.high, 0.0);
}

struct Rated {
  std::vector<float> predictions, ratings;
  std::vector<std::uint32_t> users, items;
  RatedExamples view() const { return {predictions, ratings, users, items}; }
  void add(std::uint32_t user, std::uint32_t item, float predicted, float rated) {
    users.push_back(user);
    items.push_back(item);
    predictions.push_back(predicted);
    ratings.push_back(rated);
  }
};

TEST(Unfairness, ByHand) {
  Rated rated;
  rated.add(0, 0, 3.0F, 4.0F);  // group 0 is predicted 1 too little on item 0 ...
  rated.add(1, 0, 4.5F, 4.0F);  // ... and the others .5 too much
  rated.add(0, 1, 5.0F, 3.0F);  // 2 too much
  rated.add(1, 1, 4.0F, 3.0F);  // 1 too much, and
  rated.add(2, 1, 4.0F, 4.0F);  // nothing: .5 together
  rated.add(0, 2, 1.0F, 5.0F);  // no other has item 2
  const std::vector<std::uint32_t> group = {0, 1, 1}, once = {1, 1, 1}, without = {0, 1, 1};
  const Unfairness found = unfairness(rated.view(), group, 0, once, 3);
  EXPECT_EQ(found.items, 2U);
  EXPECT_DOUBLE_EQ(found.value, (1.5 + 1.5) / 2.0);
  EXPECT_DOUBLE_EQ(found.absolute, (0.5 + 1.5) / 2.0);
  EXPECT_DOUBLE_EQ(found.under, (1.0 + 0.0) / 2.0);
  EXPECT_DOUBLE_EQ(found.over, (0.5 + 1.5) / 2.0);
  EXPECT_EQ(unfairness(rated.view(), group, 0, without, 3).items, 0U);
}

TEST(Unfairness, APlantedOneIsFarAboveChanceAndNoneIsNot) {
  Rng rng(3);
  Rated fair, unfair;
  std::vector<std::uint32_t> group;
  for (std::uint32_t user = 0; user < 300; ++user) {
    group.push_back(user % 2);
    for (int i = 0; i < 10; ++i) {
      const auto item = static_cast<std::uint32_t>(rng.below(20));
      const auto rating = static_cast<float>(1 + rng.below(5));
      const auto guess = rating + static_cast<float>(rng.normal());
      fair.add(user, item, guess, rating);
      unfair.add(user, item, guess - (user % 2 == 0 ? 0.5F : 0.0F), rating);
    }
  }
  const auto without = bootstrap_unfairness(fair.view(), group, 0, 20, {200, 0.95, 4});
  const auto with = bootstrap_unfairness(unfair.view(), group, 0, 20, {200, 0.95, 4});
  EXPECT_NEAR(without.value.estimate, without.by_chance.value, 0.06);
  EXPECT_GT(with.value.estimate, 2.0 * with.by_chance.value);
  EXPECT_GT(with.under.estimate, with.over.estimate);
}

TEST(ExposureRatios, ByHand) {
  // Item 0 is of group 0, item 1 of group 1, item 2 of both; two users with lists of two.
  const std::vector<std::vector<std::uint32_t>> groups = {{0}, {1}, {0, 1}};
  const std::vector<std::uint32_t> counts = {6, 2, 0}, lists = {0, 1, 2, 0xffffffffU};
  const auto figures = exposure_ratios(lists, 2, groups, counts, {100, 0.95, 1});
  ASSERT_EQ(figures.size(), 2U);
  const double second = 1.0 / std::log2(3.0), all = 2.0 + second;
  EXPECT_DOUBLE_EQ(figures[0].share_of_events, 0.75);
  EXPECT_DOUBLE_EQ(figures[0].share_of_exposure, 1.5 / all);
  EXPECT_DOUBLE_EQ(figures[0].ratio.estimate, 1.5 / all / 0.75);
  EXPECT_DOUBLE_EQ(figures[1].ratio.estimate, (0.5 + second) / all / 0.25);
  EXPECT_LE(figures[1].ratio.low, figures[1].ratio.estimate);
}

}  // namespace
}  // namespace capstan
