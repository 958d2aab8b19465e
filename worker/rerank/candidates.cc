#include "worker/rerank/candidates.h"

#include <algorithm>

namespace capstan {

std::vector<double> scaled(std::span<const float> scores) {
  std::vector<double> result(scores.size(), 1.0);
  if (scores.empty()) return result;
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  const double bottom = static_cast<double>(*low), range = static_cast<double>(*high) - bottom;
  if (!(range > 0.0)) return result;
  for (std::size_t i = 0; i < scores.size(); ++i)
    result[i] = (static_cast<double>(scores[i]) - bottom) / range;
  return result;
}

}  // namespace capstan
