#include "worker/eval/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/assert.h"

namespace capstan {
namespace {

// Labels in the order of `rows` (sorted by prediction), with each tie's labels replaced by their mean.
std::vector<double> smoothed_labels(const std::vector<std::uint64_t>& rows,
                                    std::span<const float> probabilities, std::span<const float> labels) {
  std::vector<double> smoothed(rows.size());
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    double sum = 0.0;
    for (; end < rows.size() && probabilities[rows[end]] == probabilities[rows[begin]]; ++end) {
      sum += static_cast<double>(labels[rows[end]]);
    }
    const double mean = sum / static_cast<double>(end - begin);
    for (; begin < end; ++begin) smoothed[begin] = mean;
  }
  return smoothed;
}

}  // namespace

std::optional<double> calibration_ratio(std::span<const float> probabilities, std::span<const float> labels) {
  CAPSTAN_ASSERT(probabilities.size() == labels.size(), "a label a probability");
  const double predicted = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  const double observed = std::accumulate(labels.begin(), labels.end(), 0.0);
  if (observed <= 0.0) return std::nullopt;
  return predicted / observed;
}

std::vector<ReliabilityBin> reliability(std::span<const float> probabilities, std::span<const float> labels,
                                        std::uint32_t bins) {
  CAPSTAN_ASSERT(probabilities.size() == labels.size(), "a label a probability");
  CAPSTAN_ASSERT(bins > 0, "at least one bin");
  const std::size_t size = labels.size();
  std::vector<std::uint64_t> rows(size);
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  std::sort(rows.begin(), rows.end(), [&](auto a, auto b) {
    return probabilities[a] != probabilities[b] ? probabilities[a] < probabilities[b] : a < b;
  });
  const auto smoothed = smoothed_labels(rows, probabilities, labels);
  std::vector<ReliabilityBin> result;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    ReliabilityBin sums;
    for (std::size_t i = bin * size / bins; i < (bin + 1) * size / bins; ++i) {
      sums.predicted += static_cast<double>(probabilities[rows[i]]);
      sums.observed += smoothed[i];
      ++sums.examples;
    }
    if (sums.examples == 0) continue;
    sums.predicted /= static_cast<double>(sums.examples);
    sums.observed /= static_cast<double>(sums.examples);
    result.push_back(sums);
  }
  return result;
}

double expected_calibration_error(std::span<const float> probabilities, std::span<const float> labels,
                                  std::uint32_t bins) {
  if (labels.empty()) return 0.0;
  double error = 0.0;
  for (const ReliabilityBin& bin : reliability(probabilities, labels, bins))
    error += static_cast<double>(bin.examples) * std::abs(bin.predicted - bin.observed);
  return error / static_cast<double>(labels.size());
}

}  // namespace capstan
