// Accuracy, precision, recall and F1 of scores cut at a threshold.
#pragma once

#include <cstdint>
#include <span>

namespace capstan {

// A score at or above the threshold predicts the positive class; a label above 0.5 is positive.
struct Confusion {
  std::uint64_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;

  // A figure whose denominator is 0 is 0.
  double accuracy() const;
  double precision() const;
  double recall() const;
  double f1() const;
};

Confusion confusion(std::span<const float> scores, std::span<const float> labels, float threshold);

}  // namespace capstan
