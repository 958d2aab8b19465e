// Calibration: whether predicted probabilities mean what they say.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace capstan {

// Sum of predictions over sum of labels: 1 is right, above 1 promises too much. Nothing when no label is
// positive. Source: He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook" (ADKDD 2014).
std::optional<double> calibration_ratio(std::span<const float> probabilities, std::span<const float> labels);

// Mean prediction beside mean label in `bins` bins of equal mass: examples sorted by prediction, bin b holds
// the ranks [b·n/bins, (b+1)·n/bins). Equal predictions are never told apart: each one of a tie carries the
// tie's mean label. Bins without examples are left out. REQUIRES: bins > 0, no NaN.
struct ReliabilityBin {
  double predicted = 0.0, observed = 0.0;
  std::uint64_t examples = 0;
};
std::vector<ReliabilityBin> reliability(std::span<const float> probabilities, std::span<const float> labels,
                                        std::uint32_t bins);

// Expected calibration error: sum over those bins of (share of examples) · |mean prediction - mean label|. 0
// when empty. Source: Nguyen and O'Connor, "Posterior calibration and exploratory analysis for NLP models"
// (EMNLP 2015).
double expected_calibration_error(std::span<const float> probabilities, std::span<const float> labels,
                                  std::uint32_t bins);

}  // namespace capstan
