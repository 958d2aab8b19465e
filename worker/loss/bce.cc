#include "worker/loss/bce.h"

#include "common/assert.h"
#include "worker/loss/stable.h"

namespace capstan {

double bce_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  CAPSTAN_ASSERT(scores.size() == batch.labels.size(), "bce: a label a score");
  double sum = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double s = scores.data[i];
    const double y = batch.labels[i];
    sum += softplus(s) - y * s;
    gradient.data[i] = scale * static_cast<float>(sigmoid(s) - y);
  }
  return sum;
}

}  // namespace capstan
