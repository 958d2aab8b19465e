#include "worker/loss/bpr.h"

#include "common/assert.h"
#include "worker/loss/stable.h"

namespace capstan {

double bpr_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  const std::uint32_t group = batch.group;
  CAPSTAN_ASSERT(group >= 2 && scores.rows % group == 0, "bpr: whole groups of a positive and its negatives");
  const double share = 1.0 / (group - 1);
  double sum = 0.0;
  for (std::size_t first = 0; first < scores.rows; first += group) {
    double positive_gradient = 0.0;
    for (std::size_t i = first + 1; i < first + group; ++i) {
      const double margin = static_cast<double>(scores.data[first]) - scores.data[i];
      sum += share * softplus(-margin);
      const double slope = share * sigmoid(-margin);
      gradient.data[i] = scale * static_cast<float>(slope);
      positive_gradient -= slope;
    }
    gradient.data[first] = scale * static_cast<float>(positive_gradient);
  }
  return sum;
}

}  // namespace capstan
