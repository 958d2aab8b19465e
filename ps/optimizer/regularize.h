// What is done to a row's gradient or weights around the optimizer's step: clipping and the L1 and L2
// penalties. All arrays are [dim]. Sums run in one fixed order (see optimizer.h).
#pragma once

#include <array>
#include <cstdint>

namespace capstan {

// Eight running sums over every eighth element, then added in pairs.
inline float sum_of_squares(const float* values, std::uint32_t dim) {
  constexpr std::uint32_t kLanes = 8;
  std::array<float, kLanes> sums{};
  std::uint32_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    for (std::uint32_t lane = 0; lane < kLanes; ++lane) sums[lane] += values[i + lane] * values[i + lane];
  }
  for (std::uint32_t lane = 0; i < dim; ++i, ++lane) sums[lane] += values[i] * values[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Scales the gradient so that its Euclidean norm is at most max_norm. REQUIRES: max_norm > 0.
void clip_to_norm(float* gradient, std::uint32_t dim, float max_norm);

// L2 per touch: g += l2 w.
void add_l2(float* gradient, const float* weights, std::uint32_t dim, float l2);

// L2 decayed: w *= (1 - rate l2)^steps, the decay of all steps since the row was last pushed, at the present
// rate; 0 where rate l2 >= 1.
void decay_weights(float* weights, std::uint32_t dim, float rate, float l2, std::uint32_t steps);

// L1: the proximal step w = sign(w) max(0, |w| - threshold), threshold = rate l1.
// Source: Duchi and Singer 2009, "Efficient Online and Batch Learning Using Forward Backward Splitting",
// eq. 19.
void soft_threshold(float* weights, std::uint32_t dim, float threshold);

}  // namespace capstan
