#include "worker/loss/mse.h"

#include "common/assert.h"
#include "worker/loss/stable.h"

namespace capstan {

double mse_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  CAPSTAN_ASSERT(scores.size() == batch.labels.size(), "mse: a label a score");
  double sum = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double error = static_cast<double>(scores.data[i]) - batch.labels[i];
    sum += error * error;
    gradient.data[i] = scale * static_cast<float>(2.0 * error);
  }
  return sum;
}

double sigmoid_mse_loss(ConstMatrix scores, const MicroBatch& batch, float scale, Matrix gradient) {
  CAPSTAN_ASSERT(scores.size() == batch.labels.size(), "mse: a label a score");
  double sum = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = sigmoid(scores.data[i]);
    const double error = p - batch.labels[i];
    sum += error * error;
    gradient.data[i] = scale * static_cast<float>(2.0 * error * p * (1.0 - p));
  }
  return sum;
}

}  // namespace capstan
