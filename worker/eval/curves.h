// ROC and precision-recall curves, thinned to what can be seen.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace capstan {

struct CurvePoint {
  double x = 0.0, y = 0.0;
};

struct Curves {
  std::vector<CurvePoint> roc;               // share of negatives, share of positives above a threshold
  std::vector<CurvePoint> precision_recall;  // recall, precision at the same thresholds but the one above all
  double positives = 0.0;                    // share of the examples: the precision of chance
};

// Thresholds from above the highest score down; equal scores are passed together. At most about `points_max`
// of them, evenly along the ROC curve, with both ends. Empty when one class is absent. labels: positive above
// 0.5. REQUIRES: no NaN. Source: Fawcett, "An introduction to ROC analysis" (2006); Davis and Goadrich, "The
// relationship between Precision-Recall and ROC curves" (ICML 2006).
Curves classifier_curves(std::span<const float> scores, std::span<const float> labels,
                         std::size_t points_max);

}  // namespace capstan
