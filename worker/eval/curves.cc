#include "worker/eval/curves.h"

#include <algorithm>
#include <numeric>

#include "common/assert.h"

namespace capstan {

Curves classifier_curves(std::span<const float> scores, std::span<const float> labels,
                         std::size_t points_max) {
  CAPSTAN_ASSERT(scores.size() == labels.size(), "a label a score");
  const auto is_positive = [](float label) { return label > 0.5F; };
  const auto positives = static_cast<double>(std::count_if(labels.begin(), labels.end(), is_positive));
  const double negatives = static_cast<double>(labels.size()) - positives;
  if (positives == 0.0 || negatives == 0.0) return {};
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  Curves curves;
  curves.positives = positives / static_cast<double>(labels.size());
  curves.roc.push_back({0.0, 0.0});
  const double step = 2.0 / static_cast<double>(std::max<std::size_t>(points_max, 1));
  double true_positives = 0.0, false_positives = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (is_positive(labels[order[i]]) ? true_positives : false_positives) += 1.0;
    const bool last = i + 1 == order.size();
    if (!last && scores[order[i]] == scores[order[i + 1]]) continue;
    const CurvePoint point{false_positives / negatives, true_positives / positives};
    if (!last && point.x - curves.roc.back().x + point.y - curves.roc.back().y < step) continue;
    curves.roc.push_back(point);
    curves.precision_recall.push_back({point.y, true_positives / (true_positives + false_positives)});
  }
  return curves;
}

}  // namespace capstan
