// Ranking metrics of one user. Items with equal scores stand in random order: every figure is its expected
// value over all orders of the tied items, in closed form.
#pragma once

#include <cstdint>
#include <span>

namespace capstan {

// A run of items with the same score. Blocks follow each other from the best score down; the first begins at
// rank 0.
struct TieBlock {
  std::uint64_t size = 0;
  std::uint64_t relevant = 0;  // how many of them are test items
};

// All with cut-off k; total_relevant counts the user's test items, also those that stand in no block (cold
// ones). Blocks that begin at or after rank k may be left out. REQUIRES: k > 0, total_relevant > 0.
struct UserRanking {
  std::span<const TieBlock> blocks;
  std::uint64_t total_relevant = 0;
  std::uint32_t k = 10;
};

double hit_rate_at(const UserRanking& ranking);   // chance of at least one hit
double recall_at(const UserRanking& ranking);     // hits / total_relevant
double precision_at(const UserRanking& ranking);  // hits / k
// Binary gain, discount 1 / log2(rank + 2), over the DCG of min(total_relevant, k) leading hits.
// Source: Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques" (TOIS 2002).
double ndcg_at(const UserRanking& ranking);
double mrr_at(const UserRanking& ranking);  // 1 / (1 + rank of the first hit), 0 when it stands at k or later
// Sum over hits of precision at the hit's rank, over min(total_relevant, k).
double map_at(const UserRanking& ranking);

}  // namespace capstan
