#include "worker/eval/threshold_metrics.h"

#include "common/assert.h"

namespace capstan {
namespace {

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double Confusion::accuracy() const {
  return share(true_positives + true_negatives,
               true_positives + true_negatives + false_positives + false_negatives);
}
double Confusion::precision() const {
  return share(true_positives, true_positives + false_positives);
}
double Confusion::recall() const {
  return share(true_positives, true_positives + false_negatives);
}
double Confusion::f1() const {
  return share(2 * true_positives, 2 * true_positives + false_positives + false_negatives);
}

Confusion confusion(std::span<const float> scores, std::span<const float> labels, float threshold) {
  CAPSTAN_ASSERT(scores.size() == labels.size(), "a label a score");
  Confusion counts;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool positive = labels[i] > 0.5F;
    if (scores[i] >= threshold) {
      ++(positive ? counts.true_positives : counts.false_positives);
    } else {
      ++(positive ? counts.false_negatives : counts.true_negatives);
    }
  }
  return counts;
}

}  // namespace capstan
