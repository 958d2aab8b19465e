#include "ps/hot_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "common/rng.h"

namespace capstan {
namespace {

// Batches of unique keys, as workers pull them: key k is in one of k + 1.
void pull_batches(HotKeys& keys, std::uint64_t batches) {
  Rng rng(7);
  for (std::uint64_t batch = 0; batch < batches; ++batch) {
    std::vector<Key> pulled;
    for (Key key = 0; key < 3000; ++key) {
      if (rng.below(key + 1) == 0) pulled.push_back(mix64(key));
    }
    std::sort(pulled.begin(), pulled.end());
    keys.note(1, pulled);
  }
}

TEST(HotKeys, TheMostPulledComeFirstWithTheirRates) {
  HotKeys keys;
  constexpr std::uint64_t kBatches = 60'000;
  pull_batches(keys, kBatches);
  const auto hot = keys.take(10.0, 5);
  ASSERT_EQ(hot.size(), 5U);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(hot[n].key, mix64(n));
    EXPECT_EQ(hot[n].table, 1U);
    const double truth = static_cast<double>(kBatches) / static_cast<double>(n + 1) / 10.0;
    EXPECT_NEAR(hot[n].rows_per_second, truth, truth * 0.15) << n;
  }
}

TEST(HotKeys, WhatIsPulledEvenlyIsNotHot) {
  HotKeys keys;
  std::vector<Key> all(100'000);
  std::iota(all.begin(), all.end(), Key{0});
  for (int times = 0; times < 20; ++times) keys.note(0, all);
  for (const auto& hot : keys.take(1.0, 100)) EXPECT_LE(hot.rows_per_second, 64.0 * 6);
}

TEST(HotKeys, TablesAreKeptApartAndATakeBeginsAnew) {
  HotKeys keys;
  const std::vector<Key> one(64'000, Key{5});
  keys.note(0, one);
  keys.note(3, one);
  const auto hot = keys.take(1.0, 10);
  ASSERT_EQ(hot.size(), 2U);
  EXPECT_NE(hot[0].table, hot[1].table);
  EXPECT_NEAR(hot[0].rows_per_second, 64'000, 6'400);
  EXPECT_TRUE(keys.take(1.0, 10).empty());
}

TEST(HotKeys, ASmallRequestIsLookedAtNowAndThen) {
  HotKeys keys;
  const std::vector<Key> few = {1};
  for (int times = 0; times < 64'000; ++times) keys.note(0, few);
  const auto hot = keys.take(1.0, 1);
  ASSERT_EQ(hot.size(), 1U);
  EXPECT_NEAR(hot[0].rows_per_second, 64'000, 6'400);
}

}  // namespace
}  // namespace capstan
