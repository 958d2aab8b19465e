#include "worker/eval/logloss.h"

#include <algorithm>
#include <cmath>

#include "common/assert.h"

namespace capstan {

double logloss(std::span<const float> probabilities, std::span<const float> labels) {
  CAPSTAN_ASSERT(probabilities.size() == labels.size(), "a label a probability");
  if (labels.empty()) return 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double p = std::clamp(static_cast<double>(probabilities[i]), 1e-7, 1.0 - 1e-7);
    const double y = static_cast<double>(labels[i]);
    sum -= y * std::log(p) + (1.0 - y) * std::log1p(-p);
  }
  return sum / static_cast<double>(labels.size());
}

}  // namespace capstan
