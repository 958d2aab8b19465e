// e^x in plain arithmetic, without branches, so that compilers make vectors of loops over it.
#pragma once

#include <bit>
#include <cstdint>

namespace capstan {

inline constexpr float kLowest = -87.0F;

// e^x for x ≤ 0, to some 1e-7 of the value; below kLowest what it is there, NaN for NaN. x = n·ln 2 + r,
// |r| ≤ ln 2 / 2; the polynomial is Cephes' expf (Moshier 1992).
constexpr float exp_from_lowest(float x) {
  constexpr float kRounds = 12582912.0F;  // 1.5 · 2^23: what is added to it becomes a whole number
  const float clipped = x < kLowest ? kLowest : x;
  const float shifted = clipped * 1.44269504F + kRounds;
  const float n = shifted - kRounds;
  const float r = clipped - n * 0.693359375F + n * 2.12194440e-4F;
  float y = 1.9875691500e-4F;
  y = y * r + 1.3981999507e-3F;
  y = y * r + 8.3334519073e-3F;
  y = y * r + 4.1665795894e-2F;
  y = y * r + 1.6666665459e-1F;
  y = y * r + 5.0000001201e-1F;
  y = y * r * r + r + 1.0F;
  return y * std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) + 127U) << 23U);
}

}  // namespace capstan
