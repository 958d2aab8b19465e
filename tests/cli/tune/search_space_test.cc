#include "cli/tune/search_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "common/text.h"

namespace capstan {
namespace {

using testing::ElementsAre;

SearchRange range(RangeKind kind, double low, double high) {
  return {kind, {}, low, high};
}

SearchRange choices(std::vector<std::string> values) {
  return {RangeKind::kChoices, std::move(values), 0.0, 0.0};
}

TuneConfig with(const SearchRange& only, std::uint32_t trials = 1000) {
  TuneConfig tune;
  tune.space["x"] = only;
  tune.trials = trials;
  return tune;
}

std::vector<double> drawn(const TuneConfig& tune) {
  std::vector<double> values;
  for (const Settings& settings : draw_trials(tune)) values.push_back(*parse_double(settings[0].second));
  return values;
}

TEST(SearchSpace, NumbersLieInTheirRangeAndSpreadAsTheyShould) {
  double sum = 0.0;
  for (const double value : drawn(with(range(RangeKind::kUniform, 2, 4)))) {
    EXPECT_TRUE(value >= 2.0 && value <= 4.0) << value;
    sum += value;
  }
  EXPECT_NEAR(sum / 1000, 3.0, 0.06);
  int below = 0;
  for (const double value : drawn(with(range(RangeKind::kLogUniform, 1e-4, 1)))) {
    EXPECT_TRUE(value >= 1e-4 && value <= 1.0) << value;
    below += value < 1e-2 ? 1 : 0;
  }
  EXPECT_NEAR(below, 500, 60);
  below = 0;
  const auto sizes = drawn(with(range(RangeKind::kLogInt, 1000, 1e9), 500));
  for (const double value : sizes) {
    EXPECT_TRUE(value >= 1e3 && value <= 1e9 && value == std::floor(value)) << value;
    below += value < 1e6 ? 1 : 0;
  }
  EXPECT_NEAR(below, 250, 60);
}

TEST(SearchSpace, ASmallSpaceIsTriedInFullAndNothingTwice) {
  TuneConfig tune = with(choices({"a", "b", "c"}));
  tune.space["y"] = range(RangeKind::kInt, 1, 2);
  const auto trials = draw_trials(tune);
  EXPECT_EQ(trials.size(), 6U);
  EXPECT_EQ(std::set<Settings>(trials.begin(), trials.end()).size(), 6U);
  const auto many = draw_trials(with(range(RangeKind::kUniform, 0, 1)));
  EXPECT_EQ(std::set<Settings>(many.begin(), many.end()).size(), 1000U);
}

TEST(SearchSpace, MoreTrialsOnlyAddToTheFirst) {
  for (const SearchRange& each : {choices({"1", "2", "3", "4", "5"}), range(RangeKind::kUniform, 0, 1)}) {
    const auto few = draw_trials(with(each, 3)), more = draw_trials(with(each, 5));
    ASSERT_EQ(few.size(), 3U);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
  }
}

TEST(SearchSpace, TheSeedDecides) {
  TuneConfig tune = with(range(RangeKind::kUniform, 0, 1), 5);
  const auto first = draw_trials(tune);
  EXPECT_EQ(draw_trials(tune), first);
  tune.seed = 2;
  EXPECT_NE(draw_trials(tune), first);
}

TEST(SearchSpace, SettingsReadWell) {
  const Settings settings = {
      {"model.dim", "8"}, {"optimizer.dense.rate", "0.1"}, {"optimizer.sparse.rate", "1"}};
  EXPECT_THAT(overrides_of(settings),
              ElementsAre("model.dim=8", "optimizer.dense.rate=0.1", "optimizer.sparse.rate=1"));
  EXPECT_EQ(settings_text(settings), "dim 8, optimizer.dense.rate 0.1, optimizer.sparse.rate 1");
}

}  // namespace
}  // namespace capstan
