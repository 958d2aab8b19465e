#include "worker/eval/ranking_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

struct Figures {
  double hr = 0, recall = 0, precision = 0, ndcg = 0, mrr = 0, map = 0;
};

// The textbook definitions on one order without ties.
Figures by_definition(const std::vector<bool>& relevant, std::uint64_t total, std::uint32_t k) {
  Figures figures;
  double hits = 0, ideal = 0;
  for (std::size_t rank = 0; rank < relevant.size() && rank < k; ++rank) {
    if (!relevant[rank]) continue;
    if (hits == 0) figures.mrr = 1.0 / static_cast<double>(rank + 1);
    hits += 1;
    figures.ndcg += 1 / std::log2(static_cast<double>(rank) + 2);
    figures.map += hits / static_cast<double>(rank + 1);
  }
  const auto best = std::min<std::uint64_t>(total, k);
  for (std::uint64_t rank = 0; rank < best; ++rank) ideal += 1 / std::log2(static_cast<double>(rank) + 2);
  figures.hr = hits > 0 ? 1 : 0;
  figures.recall = hits / static_cast<double>(total);
  figures.precision = hits / k;
  figures.ndcg /= ideal;
  figures.map /= static_cast<double>(best);
  return figures;
}

// The mean over every order in which each block is permuted.
Figures by_permutations(const std::vector<TieBlock>& blocks, std::uint64_t total, std::uint32_t k) {
  struct Item {
    std::size_t block, id;
    bool relevant;
  };
  std::vector<Item> items;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::uint64_t i = 0; i < blocks[b].size; ++i)
      items.push_back({b, items.size(), i < blocks[b].relevant});
  }
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Figures mean;
  double count = 0;
  do {
    bool respects_blocks = true;
    for (std::size_t i = 1; i < order.size(); ++i) {
      respects_blocks = respects_blocks && items[order[i - 1]].block <= items[order[i]].block;
    }
    if (!respects_blocks) continue;
    std::vector<bool> relevant;
    for (const std::size_t i : order) relevant.push_back(items[i].relevant);
    const Figures one = by_definition(relevant, total, k);
    mean.hr += one.hr;
    mean.recall += one.recall;
    mean.precision += one.precision;
    mean.ndcg += one.ndcg;
    mean.mrr += one.mrr;
    mean.map += one.map;
    count += 1;
  } while (std::next_permutation(order.begin(), order.end()));
  for (double* figure : {&mean.hr, &mean.recall, &mean.precision, &mean.ndcg, &mean.mrr, &mean.map}) {
    *figure /= count;
  }
  return mean;
}

TEST(RankingMetrics, OneTargetHandComputed) {
  const std::vector<TieBlock> blocks = {{1, 0}, {1, 0}, {1, 1}, {1, 0}};
  const UserRanking at_3{blocks, 1, 3}, at_2{blocks, 1, 2};
  EXPECT_EQ(hit_rate_at(at_3), 1.0);
  EXPECT_EQ(recall_at(at_3), 1.0);
  EXPECT_NEAR(precision_at(at_3), 1.0 / 3, 1e-12);
  EXPECT_NEAR(ndcg_at(at_3), 0.5, 1e-12);  // 1 / log2(2 + 2)
  EXPECT_NEAR(mrr_at(at_3), 1.0 / 3, 1e-12);
  EXPECT_NEAR(map_at(at_3), 1.0 / 3, 1e-12);
  EXPECT_EQ(hit_rate_at(at_2), 0.0);
  EXPECT_EQ(ndcg_at(at_2), 0.0);
}

TEST(RankingMetrics, ATargetTiedWithEveryoneIsWorthItsChance) {
  const std::vector<TieBlock> blocks = {{100, 1}};
  const UserRanking ranking{blocks, 1, 10};
  EXPECT_NEAR(hit_rate_at(ranking), 0.1, 1e-12);
  EXPECT_NEAR(recall_at(ranking), 0.1, 1e-12);
  double gain = 0, reciprocal = 0;
  for (int rank = 0; rank < 10; ++rank) {
    gain += 0.01 / std::log2(rank + 2.0);
    reciprocal += 0.01 / (rank + 1.0);
  }
  EXPECT_NEAR(ndcg_at(ranking), gain, 1e-12);
  EXPECT_NEAR(mrr_at(ranking), reciprocal, 1e-12);
}

TEST(RankingMetrics, RelevantItemsInNoBlockAreMisses) {
  const std::vector<TieBlock> blocks = {{1, 1}, {1, 1}};
  const UserRanking ranking{blocks, 4, 2};
  EXPECT_EQ(recall_at(ranking), 0.5);
  EXPECT_EQ(ndcg_at(ranking), 1.0);  // the ideal is cut at k as well
  EXPECT_EQ(map_at(ranking), 1.0);
}

TEST(RankingMetrics, EqualsTheMeanOverAllOrdersOfTies) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    Rng rng(seed);
    std::vector<TieBlock> blocks;
    std::uint64_t left = 1 + rng.below(7), relevant = 0;
    while (left > 0) {
      const std::uint64_t size = 1 + rng.below(left);
      blocks.push_back({size, rng.below(size + 1)});
      relevant += blocks.back().relevant;
      left -= size;
    }
    const std::uint64_t total = std::max<std::uint64_t>(1, relevant + rng.below(3));
    const auto k = static_cast<std::uint32_t>(1 + rng.below(8));
    const Figures expected = by_permutations(blocks, total, k);
    const UserRanking ranking{blocks, total, k};
    EXPECT_NEAR(hit_rate_at(ranking), expected.hr, 1e-12) << "seed " << seed;
    EXPECT_NEAR(recall_at(ranking), expected.recall, 1e-12) << "seed " << seed;
    EXPECT_NEAR(precision_at(ranking), expected.precision, 1e-12) << "seed " << seed;
    EXPECT_NEAR(ndcg_at(ranking), expected.ndcg, 1e-12) << "seed " << seed;
    EXPECT_NEAR(mrr_at(ranking), expected.mrr, 1e-12) << "seed " << seed;
    EXPECT_NEAR(map_at(ranking), expected.map, 1e-12) << "seed " << seed;
  }
}

}  // namespace
}  // namespace capstan
