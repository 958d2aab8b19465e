#include "ps/optimizer/regularize.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/portable_math.h"

namespace capstan {

float sum_of_squares(const float* values, std::uint32_t dim) {
  constexpr std::uint32_t kLanes = 8;
  std::array<float, kLanes> sums{};
  std::uint32_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::uint32_t lane = 0; lane < kLanes; ++lane) sums[lane] += values[i + lane] * values[i + lane];
  }
  for (std::uint32_t lane = 0; i < dim; ++i, ++lane) sums[lane] += values[i] * values[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

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
