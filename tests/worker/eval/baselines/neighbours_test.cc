#include "worker/baselines/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/worker/eval/tiny_dataset.h"

namespace capstan {
namespace {

std::vector<Neighbour> list(std::span<const Neighbour> neighbours) {
  return {neighbours.begin(), neighbours.end()};
}

void expect_equal(const std::vector<Neighbour>& actual, const std::vector<Neighbour>& expected,
                  std::uint64_t seed) {
  ASSERT_EQ(actual.size(), expected.size()) << "seed " << seed;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(actual[i].item, expected[i].item) << "seed " << seed;
    EXPECT_FLOAT_EQ(actual[i].similarity, expected[i].similarity) << "seed " << seed;
  }
}

TEST(Neighbours, HandComputed) {
  // Item 0: users 0 1 2; item 1: users 0 1; item 2: user 2; item 3: nobody.
  const UserItems history = user_items({{0, 1}, {0, 1}, {0, 2}});
  const auto lists = most_similar(history, 3, 4, 1.0F, 10);
  const float near = static_cast<float>(2 / (std::sqrt(6.0) + 1)),
              far = static_cast<float>(1 / (std::sqrt(3.0) + 1));
  expect_equal(list(lists.of(0)), {{1, near}, {2, far}}, 0);
  expect_equal(list(lists.of(1)), {{0, near}}, 0);
  expect_equal(list(lists.of(2)), {{0, far}}, 0);
  EXPECT_TRUE(lists.of(3).empty());
}

TEST(Neighbours, EqualsComparingEveryPair) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Dataset dataset = random_dataset(seed, 12, 20, 8);
    Rng rng(seed);
    const float shrink = rng.chance(0.5) ? 0.0F : 5.0F;
    const auto most = static_cast<std::uint32_t>(1 + rng.below(20));
    const auto lists = most_similar(dataset.train_items, 12, 20, shrink, most);
    for (std::uint32_t a = 0; a < 20; ++a) {
      std::vector<Neighbour> expected;
      for (std::uint32_t b = 0; b < 20; ++b) {
        double both = 0, of_a = 0, of_b = 0;
        for (std::uint32_t user = 0; user < 12; ++user) {
          const bool has_a = dataset.train_items.contains(user, a),
                     has_b = dataset.train_items.contains(user, b);
          both += has_a && has_b ? 1 : 0;
          of_a += has_a ? 1 : 0;
          of_b += has_b ? 1 : 0;
        }
        if (a == b || both == 0) continue;
        expected.push_back(
            {b, static_cast<float>(both / (std::sqrt(of_a * of_b) + static_cast<double>(shrink)))});
      }
      std::stable_sort(expected.begin(), expected.end(),
                       [](const Neighbour& x, const Neighbour& y) { return x.similarity > y.similarity; });
      if (expected.size() > most) expected.resize(most);
      expect_equal(list(lists.of(a)), expected, seed);
    }
  }
}

TEST(Neighbours, TurnedRoundHoldsTheSamePairs) {
  const Dataset dataset = random_dataset(11, 12, 20, 8);
  const auto lists = most_similar(dataset.train_items, 12, 20, 0.0F, 20);
  const auto turned = turned_round(lists, 3);
  std::size_t pairs = 0;
  for (std::uint32_t item = 0; item < 20; ++item) {
    const auto of_item = lists.of(item);
    for (const auto& neighbour : of_item.first(std::min<std::size_t>(3, of_item.size()))) {
      ++pairs;
      const auto back = list(turned.of(neighbour.item));
      const auto found =
          std::find_if(back.begin(), back.end(), [&](const auto& other) { return other.item == item; });
      ASSERT_NE(found, back.end());
      EXPECT_EQ(found->similarity, neighbour.similarity);
    }
    const auto back = list(turned.of(item));
    EXPECT_TRUE(std::is_sorted(back.begin(), back.end(), [](auto& a, auto& b) { return a.item < b.item; }));
  }
  EXPECT_EQ(turned.all.size(), pairs);
}

}  // namespace
}  // namespace capstan
