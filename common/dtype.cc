#include "common/dtype.h"

#include <algorithm>
#include <bit>
#include <cstring>

// Compiled for wider registers, too, and chosen when the program starts: a step on 16-bit rows is mostly
// these loops. AVX2 without FMA has the same bits as the rest. Sanitizers run before the choice could.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    defined(__GNUC__) && !defined(__clang__)
#define CAPSTAN_WIDE_LOOPS __attribute__((target_clones("avx2", "default")))
#else
#define CAPSTAN_WIDE_LOOPS
#endif

namespace capstan {
namespace {

constexpr std::uint32_t kInfinite = 0x7F800000, kMagnitude = 0x7FFFFFFF;

// What is added to the bits that go before they are cut off: up or down is in its carry. `kept_odd` is the
// last bit that stays.
struct Nearest {
  std::uint32_t operator()(std::size_t, std::uint32_t kept_odd) const { return 0x7FFF + kept_odd; }
};
struct Stochastic {
  std::uint32_t seed;
  std::uint32_t operator()(std::size_t i, std::uint32_t) const {
    std::uint32_t x = seed + static_cast<std::uint32_t>(i) * 0x9E3779B9U;
    x = (x ^ (x >> 16U)) * 0x85EBCA6BU;
    return x >> 16U;
  }
};

template <typename Round>
[[gnu::always_inline]] inline std::uint16_t to_bfloat16(float value, std::size_t i, const Round& round) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool finite = (bits & kMagnitude) < kInfinite;
  const std::uint32_t rounded = bits + (finite ? round(i, (bits >> 16U) & 1U) : 0);
  // A NaN whose upper half would read as infinite.
  const std::uint32_t quiet = (bits & kMagnitude) > kInfinite ? 0x40 : 0;
  return static_cast<std::uint16_t>((rounded >> 16U) | quiet);
}

template <typename Round>
[[gnu::always_inline]] inline std::uint16_t to_float16(float value, std::size_t i, const Round& round) {
  constexpr std::uint32_t kSmallestNormal = 0x38800000, kRebias = 112U << 10U, kLargest = 0x7BFF;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U, magnitude = bits & kMagnitude;
  if (magnitude >= kInfinite) {
    return static_cast<std::uint16_t>(sign | (magnitude > kInfinite ? 0x7E00U : 0x7C00U));
  }
  std::uint32_t half = 0;
  if (magnitude < kSmallestNormal) {
    // In steps of 2^-24, with 16 bits behind the point; the product is exact.
    const float exact = std::bit_cast<float>(magnitude) * 0x1p40F;
    auto steps = static_cast<std::uint32_t>(exact);
    if (static_cast<float>(steps) < exact) steps |= 1U;  // a little more than half is no tie
    half = (steps + round(i, (steps >> 16U) & 1U)) >> 16U;
  } else if (magnitude < 0x47800000) {  // 2^16: one beyond the range, where the bits would run over
    const std::uint32_t shifted = magnitude - (kRebias << 13U);
    half = static_cast<std::uint32_t>((std::uint64_t{shifted} * 8 + round(i, (shifted >> 13U) & 1U)) >> 16U);
  } else {
    half = kLargest;
  }
  return static_cast<std::uint16_t>(sign | std::min(half, kLargest));
}

[[gnu::always_inline]] inline float from_float16(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16U, magnitude = half & 0x7FFFU;
  if (magnitude >= 0x7C00) return std::bit_cast<float>(sign | kInfinite | ((magnitude & 0x3FFU) << 13U));
  const float value = std::bit_cast<float>(magnitude << 13U) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

template <typename Round>
[[gnu::always_inline]] inline void narrow_by(Dtype dtype, const float* values, std::size_t count,
                                             const Round& round, std::byte* out) {
  if (dtype == Dtype::kFloat32) {
    std::memcpy(out, values, count * sizeof(float));
    return;
  }
  auto* to = reinterpret_cast<std::uint16_t*>(out);
  if (dtype == Dtype::kBfloat16) {
    for (std::size_t i = 0; i < count; ++i) to[i] = to_bfloat16(values[i], i, round);
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = to_float16(values[i], i, round);
  }
}

}  // namespace

CAPSTAN_WIDE_LOOPS void widen(Dtype dtype, const std::byte* stored, std::size_t count, float* out) {
  if (dtype == Dtype::kFloat32) {
    std::memcpy(out, stored, count * sizeof(float));
    return;
  }
  const auto* from = reinterpret_cast<const std::uint16_t*>(stored);
  if (dtype == Dtype::kBfloat16) {
    for (std::size_t i = 0; i < count; ++i) out[i] = std::bit_cast<float>(std::uint32_t{from[i]} << 16U);
  } else {
    for (std::size_t i = 0; i < count; ++i) out[i] = from_float16(from[i]);
  }
}

CAPSTAN_WIDE_LOOPS void narrow(Dtype dtype, const float* values, std::size_t count, std::byte* out) {
  narrow_by(dtype, values, count, Nearest{}, out);
}

CAPSTAN_WIDE_LOOPS void narrow_stochastic(Dtype dtype, const float* values, std::size_t count,
                                          std::uint64_t seed, std::byte* out) {
  narrow_by(dtype, values, count, Stochastic{static_cast<std::uint32_t>(seed ^ (seed >> 32U))}, out);
}

}  // namespace capstan
