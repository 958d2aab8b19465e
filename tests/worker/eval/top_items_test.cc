#include "worker/eval/top_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(TopItems, BestFirstWithAllThatTieWithTheLast) {
  const std::vector<std::uint32_t> items = {10, 11, 12, 13, 14, 15};
  const std::vector<float> scores = {1, 3, 2, 3, 2, 0};
  const TopItems top = top_items(items, scores, 3, 0);
  EXPECT_EQ(top.list_size, 3U);
  EXPECT_EQ(top.scores, (std::vector<float>{3, 3, 2, 2}));
  EXPECT_EQ(std::set<std::uint32_t>(top.items.begin(), top.items.begin() + 2),
            (std::set<std::uint32_t>{11, 13}));
  EXPECT_EQ(std::set<std::uint32_t>(top.items.begin() + 2, top.items.end()),
            (std::set<std::uint32_t>{12, 14}));
}

TEST(TopItems, FewerItemsThanAskedFor) {
  const TopItems top = top_items(std::vector<std::uint32_t>{4}, std::vector<float>{1}, 10, 0);
  EXPECT_EQ(top.items, (std::vector<std::uint32_t>{4}));
  EXPECT_EQ(top.list_size, 1U);
  EXPECT_TRUE(top_items({}, {}, 10, 0).items.empty());
}

TEST(TopItems, TiesAreShownInRandomButRepeatableOrder) {
  std::vector<std::uint32_t> items(100);
  for (std::uint32_t i = 0; i < 100; ++i) items[i] = i;
  const std::vector<float> scores(100, 1.0F);
  std::set<std::uint32_t> first;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto top = top_items(items, scores, 1, seed);
    EXPECT_EQ(top.items.size(), 100U);
    EXPECT_EQ(top.items.front(), top_items(items, scores, 1, seed).items.front());
    first.insert(top.items.front());
  }
  EXPECT_GT(first.size(), 60U);
}

TEST(TopItems, EqualsSortingEverything) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    std::vector<std::uint32_t> items;
    std::vector<float> scores;
    for (std::uint32_t item = 0; item < 40; ++item) {
      if (rng.chance(0.5)) continue;
      items.push_back(item);
      scores.push_back(static_cast<float>(rng.below(12)) - 5.0F);
    }
    const auto k = static_cast<std::uint32_t>(1 + rng.below(12));
    const TopItems top = top_items(items, scores, k, seed);
    auto sorted = scores;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    std::size_t reach = std::min<std::size_t>(k, sorted.size());
    while (reach > 0 && reach < sorted.size() && sorted[reach] == sorted[reach - 1]) ++reach;
    sorted.resize(reach);
    EXPECT_EQ(top.scores, sorted) << "seed " << seed;
  }
}

}  // namespace
}  // namespace capstan
