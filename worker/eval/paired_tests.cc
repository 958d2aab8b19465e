#include "worker/eval/paired_tests.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/assert.h"

namespace capstan {
namespace {

std::vector<double> differences(std::span<const double> a, std::span<const double> b) {
  CAPSTAN_ASSERT(a.size() == b.size() && !a.empty(), "pairs of values");
  std::vector<double> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
  return result;
}

// P(sum of the ranks that get a plus <= most) when every sign is a fair coin. Ranks are doubled, so that
// those of ties are whole.
double chance_of_at_most(const std::vector<double>& ranks, double most) {
  std::vector<double> ways = {1.0};  // by the doubled sum
  for (const double rank : ranks) {
    const auto doubled = static_cast<std::size_t>(std::lround(2.0 * rank));
    std::vector<double> next(ways.size() + doubled, 0.0);
    for (std::size_t sum = 0; sum < ways.size(); ++sum) {
      next[sum] += 0.5 * ways[sum];
      next[sum + doubled] += 0.5 * ways[sum];
    }
    ways = std::move(next);
  }
  const auto last = static_cast<std::size_t>(std::lround(2.0 * most));
  return std::accumulate(ways.begin(), ways.begin() + static_cast<std::ptrdiff_t>(last) + 1, 0.0);
}

// Sum of t^3 - t over groups of t equal ranks.
double tie_term(std::vector<double> ranks) {
  std::sort(ranks.begin(), ranks.end());
  double term = 0.0;
  for (std::size_t begin = 0; begin < ranks.size();) {
    std::size_t end = begin;
    while (end < ranks.size() && ranks[end] == ranks[begin]) ++end;
    const auto tied = static_cast<double>(end - begin);
    term += tied * tied * tied - tied;
    begin = end;
  }
  return term;
}

}  // namespace

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return values[x] < values[y]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2.0;
    for (; begin < end; ++begin) ranks[order[begin]] = mean;
  }
  return ranks;
}

TestResult paired_t(std::span<const double> a, std::span<const double> b) {
  const auto all = differences(a, b);
  const auto n = static_cast<double>(all.size());
  const double mean = std::accumulate(all.begin(), all.end(), 0.0) / n;
  double squares = 0.0;
  for (const double each : all) squares += (each - mean) * (each - mean);
  if (all.size() < 2) return {};
  const bool equal = std::all_of(all.begin(), all.end(), [&](double each) { return each == all.front(); });
  if (equal && mean == 0.0) return {};
  const int sign = mean > 0.0 ? 1 : mean < 0.0 ? -1 : 0;
  if (equal) return {sign * std::numeric_limits<double>::infinity(), 0.0, sign};
  const double t = mean / std::sqrt(squares / (n - 1.0) / n);
  const boost::math::students_t_distribution<double> distribution(n - 1.0);
  return {t, 2.0 * cdf(complement(distribution, std::abs(t))), sign};
}

TestResult wilcoxon(std::span<const double> a, std::span<const double> b) {
  auto all = differences(a, b);
  std::erase(all, 0.0);
  if (all.empty()) return {};
  std::vector<double> sizes(all.size());
  std::transform(all.begin(), all.end(), sizes.begin(), [](double each) { return std::abs(each); });
  const auto ranks = mid_ranks(sizes);
  double plus = 0.0, minus = 0.0;
  for (std::size_t i = 0; i < all.size(); ++i) (all[i] > 0.0 ? plus : minus) += ranks[i];
  const double smaller = std::min(plus, minus);
  const int sign = plus > minus ? 1 : plus < minus ? -1 : 0;
  if (all.size() <= kExactPairs)
    return {smaller, std::min(1.0, 2.0 * chance_of_at_most(ranks, smaller)), sign};
  const auto n = static_cast<double>(all.size());
  const double mean = n * (n + 1.0) / 4.0;
  const double variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tie_term(ranks) / 48.0;
  const boost::math::normal_distribution<double> standard;
  return {smaller, std::min(1.0, 2.0 * cdf(standard, (smaller - mean) / std::sqrt(variance))), sign};
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return p[x] < p[y]; });
  std::vector<double> corrected(p.size());
  double so_far = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    so_far = std::max(so_far, std::min(1.0, static_cast<double>(p.size() - i) * p[order[i]]));
    corrected[order[i]] = so_far;
  }
  return corrected;
}

}  // namespace capstan
