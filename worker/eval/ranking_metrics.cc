#include "worker/eval/ranking_metrics.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

double as_double(std::uint64_t value) {
  return static_cast<double>(value);
}

double discount(std::uint64_t rank) {
  return 1.0 / std::log2(as_double(rank) + 2.0);
}

// Calls visit(block, first rank, ranks of the block below k) until k is reached.
template <typename Visit>
void for_blocks_above_cut(const UserRanking& ranking, Visit visit) {
  std::uint64_t begin = 0;
  for (const TieBlock& block : ranking.blocks) {
    if (begin >= ranking.k) return;
    visit(block, begin, std::min<std::uint64_t>(block.size, ranking.k - begin));
    begin += block.size;
  }
}

double expected_hits(const UserRanking& ranking) {
  double hits = 0.0;
  for_blocks_above_cut(ranking, [&](const TieBlock& block, std::uint64_t, std::uint64_t above) {
    hits += as_double(block.relevant) * as_double(above) / as_double(block.size);
  });
  return hits;
}

// The chance that the first relevant item of a block stands at each offset is
// P(0) = r/n, P(t+1) = P(t) · (n - t - r) / (n - 1 - t).
template <typename Value>
double over_first_hit(const UserRanking& ranking, Value value_at) {
  double expected = 0.0;
  bool found = false;
  for_blocks_above_cut(ranking, [&](const TieBlock& block, std::uint64_t begin, std::uint64_t above) {
    if (found || block.relevant == 0) return;
    found = true;
    const double n = as_double(block.size), r = as_double(block.relevant);
    double chance = r / n;
    for (std::uint64_t t = 0; t < above && chance > 0.0; ++t) {
      expected += chance * value_at(begin + t);
      const double left = n - 1.0 - as_double(t);
      chance = left > 0.0 ? chance * std::max(0.0, n - as_double(t) - r) / left : 0.0;
    }
  });
  return expected;
}

}  // namespace

double hit_rate_at(const UserRanking& ranking) {
  return over_first_hit(ranking, [](std::uint64_t) { return 1.0; });
}

double recall_at(const UserRanking& ranking) {
  return expected_hits(ranking) / as_double(ranking.total_relevant);
}

double precision_at(const UserRanking& ranking) {
  return expected_hits(ranking) / as_double(ranking.k);
}

double ndcg_at(const UserRanking& ranking) {
  double gain = 0.0, ideal = 0.0;
  for_blocks_above_cut(ranking, [&](const TieBlock& block, std::uint64_t begin, std::uint64_t above) {
    if (block.relevant == 0) return;
    double discounts = 0.0;
    for (std::uint64_t t = 0; t < above; ++t) discounts += discount(begin + t);
    gain += discounts * as_double(block.relevant) / as_double(block.size);
  });
  for (std::uint64_t t = 0; t < std::min<std::uint64_t>(ranking.total_relevant, ranking.k); ++t) {
    ideal += discount(t);
  }
  return gain / ideal;
}

double mrr_at(const UserRanking& ranking) {
  return over_first_hit(ranking, [](std::uint64_t rank) { return 1.0 / (as_double(rank) + 1.0); });
}

// A relevant item at offset t of its block has, besides itself, all hits of earlier blocks before it and an
// expected t · (r-1) / (n-1) hits of its own block.
double map_at(const UserRanking& ranking) {
  double sum = 0.0, hits_before = 0.0;
  for_blocks_above_cut(ranking, [&](const TieBlock& block, std::uint64_t begin, std::uint64_t above) {
    if (block.relevant == 0) return;
    const double n = as_double(block.size), r = as_double(block.relevant);
    const double others = n > 1.0 ? (r - 1.0) / (n - 1.0) : 0.0;
    for (std::uint64_t t = 0; t < above; ++t) {
      sum += r / n * (hits_before + 1.0 + as_double(t) * others) / (as_double(begin + t) + 1.0);
    }
    hits_before += r;
  });
  return sum / as_double(std::min<std::uint64_t>(ranking.total_relevant, ranking.k));
}

}  // namespace capstan
