// history and counter against a brute-force look at every earlier event.
#include <gtest/gtest.h>

#include <cmath>

#include "common/rng.h"
#include "tests/worker/data/transforms/run_transform.h"

namespace capstan {
namespace {

FeatureValues item_keys(const TestEvents& events) {
  FeatureValues values;
  values.kind = ValueKind::kKey;
  values.name = "item";
  values.cardinality = 50;
  values.keys.assign(events.items.begin(), events.items.end());
  return values;
}

TestEvents random_events(std::uint64_t seed) {
  Rng rng(seed);
  TestEvents events;
  for (std::uint64_t i = 0, n = 1 + rng.below(60); i < n; ++i) {
    events.users.push_back(static_cast<std::uint32_t>(rng.below(4)));
    events.items.push_back(static_cast<std::uint32_t>(rng.below(5)));
    events.times.push_back(static_cast<std::int64_t>(rng.below(12)));
  }
  return events;
}

TEST(HistoryTransform, EqualTimesDontSeeEachOther) {
  const TestEvents events = {{0, 0, 1, 0, 0}, {10, 11, 12, 13, 14}, {5, 1, 2, 5, 9}};
  const auto output = run_transform({"history", {{"n", "2"}}}, {item_keys(events)}, 5, nullptr, events);
  EXPECT_EQ(output.offsets, (Offsets{0, 1, 1, 1, 2, 4}));
  EXPECT_EQ(output.keys, (Keys{11, 11, 10, 13}));
  EXPECT_EQ(output.cardinality, 50U);
}

TEST(HistoryTransform, MatchesBruteForce) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const TestEvents events = random_events(seed);
    const auto output = run_transform({"history", {{"n", "3"}}}, {item_keys(events)}, 0, nullptr, events);
    for (std::size_t row = 0; row < events.users.size(); ++row) {
      std::vector<std::pair<std::int64_t, std::size_t>> earlier;
      for (std::size_t i = 0; i < events.users.size(); ++i) {
        if (events.users[i] == events.users[row] && events.times[i] < events.times[row])
          earlier.emplace_back(events.times[i], i);
      }
      std::sort(earlier.begin(), earlier.end());
      Keys expected;
      for (std::size_t i = earlier.size() < 3 ? 0 : earlier.size() - 3; i < earlier.size(); ++i) {
        expected.push_back(events.items[earlier[i].second]);
      }
      const Keys got(output.keys.begin() + static_cast<std::ptrdiff_t>(output.offsets[row]),
                     output.keys.begin() + static_cast<std::ptrdiff_t>(output.offsets[row + 1]));
      ASSERT_EQ(got, expected) << "row " << row;
    }
  }
}

TEST(CounterTransform, MatchesBruteForce) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    for (const char* of : {"user", "item", "pair"}) {
      SCOPED_TRACE(std::string(of) + " " + std::to_string(seed));
      const TestEvents events = random_events(seed);
      const auto output =
          run_transform({"counter", {{"of", of}, {"raw", "true"}}}, {item_keys(events)}, 0, nullptr, events);
      for (std::size_t row = 0; row < events.users.size(); ++row) {
        double expected = 0.0;
        for (std::size_t i = 0; i < events.users.size(); ++i) {
          const bool user = events.users[i] == events.users[row];
          const bool item = events.items[i] == events.items[row];
          const bool same = *of == 'u' ? user : *of == 'i' ? item : user && item;
          expected += same && events.times[i] < events.times[row] ? 1.0 : 0.0;
        }
        ASSERT_EQ(output.numbers[row], expected) << "row " << row;
      }
    }
  }
}

TEST(CounterTransform, GivesLogarithmsUnlessRaw) {
  const TestEvents events = {{0, 0}, {1, 2}, {1, 2}};
  const auto output = run_transform({"counter", {}}, {item_keys(events)}, 0, nullptr, events);
  EXPECT_EQ(output.numbers, (std::vector<double>{0.0, std::log(2.0)}));
}

TEST(PastTransforms, NeedUsersAndTimes) {
  EXPECT_EQ(error_of({"history", {}}, {texts({"a"})}), "needs data.user and data.time");
  EXPECT_EQ(error_of({"counter", {}}, {texts({"a"})}), "needs data.user and data.time");
}

}  // namespace
}  // namespace capstan
