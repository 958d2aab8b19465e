#include "worker/eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "common/assert.h"
#include "common/rng.h"

namespace capstan {
namespace {

// Linear between the two nearest order statistics. REQUIRES: sorted, not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return std::lerp(sorted[low], sorted[high], position - static_cast<double>(low));
}

// `combine` takes the two sums; a sample for which it gives NaN is left out.
template <typename Combine>
Interval bootstrap(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options,
                   Combine combine_sums) {
  CAPSTAN_ASSERT(a.size() == b.size() && !a.empty(), "pairs of values");
  CAPSTAN_ASSERT(options.samples > 0 && options.confidence > 0.0 && options.confidence < 1.0, "sane options");
  Rng rng(options.seed);
  std::vector<double> outcomes;
  outcomes.reserve(options.samples);
  for (std::uint32_t sample = 0; sample < options.samples; ++sample) {
    double sum_a = 0.0, sum_b = 0.0;
    for (std::size_t draw = 0; draw < a.size(); ++draw) {
      const std::uint64_t user = rng.below(a.size());
      sum_a += a[user];
      sum_b += b[user];
    }
    const double outcome = combine_sums(sum_a, sum_b);
    if (!std::isnan(outcome)) outcomes.push_back(outcome);
  }
  return percentile_interval(
      combine_sums(std::accumulate(a.begin(), a.end(), 0.0), std::accumulate(b.begin(), b.end(), 0.0)),
      std::move(outcomes), options.confidence);
}

}  // namespace

Interval percentile_interval(double estimate, std::vector<double> outcomes, double confidence) {
  if (outcomes.empty()) return {estimate, estimate, estimate};
  std::sort(outcomes.begin(), outcomes.end());
  const double tail = (1.0 - confidence) / 2.0;
  return {estimate, quantile(outcomes, tail), quantile(outcomes, 1.0 - tail)};
}

Interval bootstrap_difference(std::span<const double> a, std::span<const double> b,
                              const BootstrapOptions& options) {
  const double size = static_cast<double>(a.size());
  return bootstrap(a, b, options, [size](double sum_a, double sum_b) { return (sum_a - sum_b) / size; });
}

Interval bootstrap_root_difference(std::span<const double> a, std::span<const double> b,
                                   const BootstrapOptions& options) {
  const double size = static_cast<double>(a.size());
  return bootstrap(a, b, options, [size](double sum_a, double sum_b) {
    return std::sqrt(sum_a / size) - std::sqrt(sum_b / size);
  });
}

Interval bootstrap_ratio(std::span<const double> a, std::span<const double> b,
                         const BootstrapOptions& options) {
  return bootstrap(a, b, options, [](double sum_a, double sum_b) {
    return sum_b == 0.0 ? std::numeric_limits<double>::quiet_NaN() : sum_a / sum_b;
  });
}

}  // namespace capstan
