#include "worker/eval/paired_auc.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/assert.h"
#include "common/rng.h"

namespace capstan {
namespace {

bool positive(float label) {
  return label > 0.5F;
}

// Of every example the share of the other class that it beats (a positive) or that beats it (a negative).
struct Shares {
  std::vector<double> positives, negatives;
  double auc = 0.0;
};

Shares shares_of(std::span<const float> scores, std::span<const float> labels) {
  std::vector<double> all(scores.begin(), scores.end()), of_class[2];
  for (std::size_t i = 0; i < all.size(); ++i) of_class[positive(labels[i])].push_back(all[i]);
  const auto ranks = mid_ranks(all);
  const std::vector<double> own[2] = {mid_ranks(of_class[0]), mid_ranks(of_class[1])};
  const auto negatives = static_cast<double>(own[0].size()), positives = static_cast<double>(own[1].size());
  Shares shares;
  std::size_t at[2] = {0, 0};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is = positive(labels[i]);
    const double lower = ranks[i] - own[is][at[is]++];  // of the other class, a tie one half
    if (is) {
      shares.positives.push_back(lower / negatives);
    } else {
      shares.negatives.push_back(1.0 - lower / positives);
    }
  }
  shares.auc = std::accumulate(shares.positives.begin(), shares.positives.end(), 0.0) / positives;
  return shares;
}

// The variance of the mean of a - b.
double variance_of_mean(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  double sum = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] - b[i];
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i] - sum / n, 2);
  return squares / (n - 1.0) / n;
}

// Examples in the order of their scores, as blocks of equal ones.
struct Sorted {
  std::vector<std::size_t> order;
  std::vector<bool> ends_block;  // beside order
};

Sorted sorted_by(std::span<const float> scores) {
  Sorted sorted;
  sorted.order.resize(scores.size());
  std::iota(sorted.order.begin(), sorted.order.end(), 0);
  std::sort(sorted.order.begin(), sorted.order.end(),
            [&](std::size_t x, std::size_t y) { return scores[x] < scores[y]; });
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sorted.ends_block.push_back(i + 1 == scores.size() ||
                                scores[sorted.order[i]] != scores[sorted.order[i + 1]]);
  }
  return sorted;
}

// The AUC when example i is there times[i] times; NaN without both classes.
double auc_of(const Sorted& sorted, std::span<const float> labels, const std::vector<std::uint32_t>& times) {
  double won = 0.0, below = 0.0, positives = 0.0, tied[2] = {0.0, 0.0};
  for (std::size_t i = 0; i < sorted.order.size(); ++i) {
    const std::size_t example = sorted.order[i];
    tied[positive(labels[example])] += times[example];
    if (!sorted.ends_block[i]) continue;
    won += tied[1] * (below + tied[0] / 2.0);
    positives += tied[1];
    below += tied[0];
    tied[0] = tied[1] = 0.0;
  }
  return positives == 0.0 || below == 0.0 ? std::numeric_limits<double>::quiet_NaN()
                                          : won / positives / below;
}

}  // namespace

std::optional<TestResult> delong(std::span<const float> a, std::span<const float> b,
                                 std::span<const float> labels) {
  CAPSTAN_ASSERT(a.size() == b.size() && a.size() == labels.size(), "two scores a label");
  const auto positives = static_cast<std::size_t>(std::count_if(labels.begin(), labels.end(), positive));
  if (positives < 2 || labels.size() - positives < 2) return std::nullopt;
  const Shares of_a = shares_of(a, labels), of_b = shares_of(b, labels);
  const double variance =
      variance_of_mean(of_a.positives, of_b.positives) + variance_of_mean(of_a.negatives, of_b.negatives);
  const double difference = of_a.auc - of_b.auc;
  const int sign = difference > 0.0 ? 1 : difference < 0.0 ? -1 : 0;
  if (variance == 0.0) {
    return sign == 0 ? TestResult{} : TestResult{sign * std::numeric_limits<double>::infinity(), 0.0, sign};
  }
  const double z = difference / std::sqrt(variance);
  const boost::math::normal_distribution<double> standard;
  return TestResult{z, 2.0 * cdf(complement(standard, std::abs(z))), sign};
}

std::optional<Interval> bootstrap_auc_difference(std::span<const float> a, std::span<const float> b,
                                                 std::span<const float> labels,
                                                 const BootstrapOptions& options) {
  CAPSTAN_ASSERT(a.size() == b.size() && a.size() == labels.size(), "two scores a label");
  const Sorted of_a = sorted_by(a), of_b = sorted_by(b);
  std::vector<std::uint32_t> times(labels.size(), 1);
  const auto difference = [&] { return auc_of(of_a, labels, times) - auc_of(of_b, labels, times); };
  const double estimate = difference();
  if (std::isnan(estimate)) return std::nullopt;
  Rng rng(options.seed);
  std::vector<double> outcomes;
  for (std::uint32_t sample = 0; sample < options.samples; ++sample) {
    std::fill(times.begin(), times.end(), 0);
    for (std::size_t draw = 0; draw < times.size(); ++draw) ++times[rng.below(times.size())];
    const double outcome = difference();
    if (!std::isnan(outcome)) outcomes.push_back(outcome);
  }
  return percentile_interval(estimate, std::move(outcomes), options.confidence);
}

}  // namespace capstan
