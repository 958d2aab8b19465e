#include "ps/optimizer/regularize.h"

#include <algorithm>
#include <cmath>

#include "common/portable_math.h"

namespace capstan {

void clip_to_norm(float* gradient, std::uint32_t dim, float max_norm) {
  const float norm = std::sqrt(sum_of_squares(gradient, dim));
  if (norm <= max_norm) return;
  const float scale = max_norm / norm;
  for (std::uint32_t i = 0; i < dim; ++i) gradient[i] *= scale;
}

void add_l2(float* gradient, const float* weights, std::uint32_t dim, float l2) {
  for (std::uint32_t i = 0; i < dim; ++i) gradient[i] += l2 * weights[i];
}

void decay_weights(float* weights, std::uint32_t dim, float rate, float l2, std::uint32_t steps) {
  const double keep = std::max(0.0, 1.0 - static_cast<double>(rate) * static_cast<double>(l2));
  const auto factor = static_cast<float>(portable_power(keep, steps));
  for (std::uint32_t i = 0; i < dim; ++i) weights[i] *= factor;
}

void soft_threshold(float* weights, std::uint32_t dim, float threshold) {
  for (std::uint32_t i = 0; i < dim; ++i) {
    weights[i] = std::copysign(std::max(0.0F, std::fabs(weights[i]) - threshold), weights[i]);
  }
}

}  // namespace capstan
