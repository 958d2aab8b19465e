#include "worker/eval/rating_error.h"

#include <cmath>

#include "common/assert.h"

namespace capstan {
namespace {

template <typename Cost>
double mean_cost(std::span<const float> predictions, std::span<const float> labels, Cost cost) {
  CAPSTAN_ASSERT(predictions.size() == labels.size(), "a label a prediction");
  if (labels.empty()) return 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sum += cost(static_cast<double>(predictions[i]) - static_cast<double>(labels[i]));
  }
  return sum / static_cast<double>(labels.size());
}

}  // namespace

double rmse(std::span<const float> predictions, std::span<const float> labels) {
  return std::sqrt(mean_cost(predictions, labels, [](double error) { return error * error; }));
}

double mae(std::span<const float> predictions, std::span<const float> labels) {
  return mean_cost(predictions, labels, [](double error) { return std::abs(error); });
}

}  // namespace capstan
