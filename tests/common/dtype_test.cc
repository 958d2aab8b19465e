// 16-bit values: rounding to the nearest and by chance, against a search among all values.
#include "common/dtype.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float widened(Dtype dtype, std::uint16_t bits) {
  float value = 0.0F;
  widen(dtype, reinterpret_cast<const std::byte*>(&bits), 1, &value);
  return value;
}

std::uint16_t narrowed(Dtype dtype, float value) {
  std::uint16_t bits = 0;
  narrow(dtype, &value, 1, reinterpret_cast<std::byte*>(&bits));
  return bits;
}

class Dtype16 : public ::testing::TestWithParam<Dtype> {
 protected:
  // All finite values of one sign, ascending: their bits are their order.
  Dtype16() {
    for (std::uint32_t bits = 0; std::isfinite(widened(GetParam(), static_cast<std::uint16_t>(bits))); ++bits)
      values_.push_back(widened(GetParam(), static_cast<std::uint16_t>(bits)));
  }
  // The index of the last value that is not above `magnitude`.
  std::size_t below(float magnitude) const {
    return static_cast<std::size_t>(std::upper_bound(values_.begin(), values_.end(), magnitude) -
                                    values_.begin()) -
           1;
  }
  float random(Rng& rng) const {
    const auto i = static_cast<std::size_t>(rng.below(values_.size() - 1));
    const float part = rng.chance(0.2) ? 0.5F : static_cast<float>(rng.uniform());
    const float value = values_[i] + (values_[i + 1] - values_[i]) * part;
    return rng.chance(0.5) ? -value : value;
  }
  std::vector<float> values_;
};

TEST_P(Dtype16, EveryValueStaysItself) {
  EXPECT_TRUE(std::is_sorted(values_.begin(), values_.end()));
  for (std::uint32_t bits = 0; bits < 1U << 16U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = widened(GetParam(), half);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(widened(GetParam(), narrowed(GetParam(), value)))) << bits;
    } else {
      ASSERT_EQ(narrowed(GetParam(), value), half);
      std::uint16_t by_chance = 0;
      narrow_stochastic(GetParam(), &value, 1, bits, reinterpret_cast<std::byte*>(&by_chance));
      ASSERT_EQ(by_chance, half);
    }
  }
}

TEST_P(Dtype16, RoundsToTheNearestAndTiesToEven) {
  Rng rng(7);
  for (int n = 0; n < 200'000; ++n) {
    const float value = random(rng);
    const float magnitude = std::fabs(value);
    const std::size_t low = below(magnitude);
    if (low + 1 == values_.size()) continue;
    const double down = double{magnitude} - double{values_[low]}, up = double{values_[low + 1]} - magnitude;
    const std::size_t expected = down < up || (down == up && low % 2 == 0) ? low : low + 1;
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    ASSERT_EQ(narrowed(GetParam(), value), sign | expected) << value;
  }
}

TEST_P(Dtype16, ChanceChoosesBetweenTheNeighboursAndKeepsTheMean) {
  Rng rng(8);
  constexpr std::size_t kDraws = 4096;
  for (int n = 0; n < 200; ++n) {
    const float value = random(rng);
    const std::size_t low = below(std::fabs(value));
    if (low + 1 == values_.size()) continue;
    const std::vector<float> same(kDraws, value);
    std::vector<std::uint16_t> bits(kDraws), again(kDraws);
    const std::uint64_t seed = rng.below(1ULL << 40U);
    narrow_stochastic(GetParam(), same.data(), kDraws, seed, reinterpret_cast<std::byte*>(bits.data()));
    narrow_stochastic(GetParam(), same.data(), kDraws, seed, reinterpret_cast<std::byte*>(again.data()));
    EXPECT_EQ(bits, again);
    double sum = 0.0;
    for (const std::uint16_t each : bits) {
      ASSERT_TRUE((each & 0x7FFFU) == low || (each & 0x7FFFU) == low + 1) << value;
      sum += std::fabs(double{widened(GetParam(), each)});
    }
    // A coin's mean of so many draws is within .04 of a step but for one case in three million.
    const double step = double{values_[low + 1]} - double{values_[low]};
    EXPECT_NEAR(sum / kDraws, std::fabs(double{value}), 0.04 * step) << value;
  }
}

TEST_P(Dtype16, WhatIsNoFiniteNumberStaysNone) {
  EXPECT_EQ(widened(GetParam(), narrowed(GetParam(), kInfinity)), kInfinity);
  EXPECT_EQ(widened(GetParam(), narrowed(GetParam(), -kInfinity)), -kInfinity);
  for (const std::uint32_t bits : {0x7F800001U, 0x7FFFFFFFU, 0xFF800001U, 0xFFFFFFFFU}) {
    EXPECT_TRUE(std::isnan(widened(GetParam(), narrowed(GetParam(), std::bit_cast<float>(bits))))) << bits;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Dtype16, ::testing::Values(Dtype::kBfloat16, Dtype::kFloat16),
                         [](const auto& each) { return std::string(to_word(each.param)); });

TEST(Dtype, BeyondFloat16IsItsLargest) {
  for (const float value : {65'519.0F, 65'520.0F, 65'536.0F, 1e30F}) {
    EXPECT_EQ(widened(Dtype::kFloat16, narrowed(Dtype::kFloat16, value)), 65'504.0F);
    EXPECT_EQ(widened(Dtype::kFloat16, narrowed(Dtype::kFloat16, -value)), -65'504.0F);
  }
}

// The values that IEEE 754 and bfloat16's definition give them.
TEST(Dtype, KnownBits) {
  EXPECT_EQ(narrowed(Dtype::kFloat16, 1.0F), 0x3C00);
  EXPECT_EQ(narrowed(Dtype::kFloat16, -2.0F), 0xC000);
  EXPECT_EQ(narrowed(Dtype::kFloat16, 0x1p-24F), 0x0001);
  EXPECT_EQ(narrowed(Dtype::kFloat16, 0.1F), 0x2E66);
  EXPECT_EQ(narrowed(Dtype::kBfloat16, 1.0F), 0x3F80);
  EXPECT_EQ(narrowed(Dtype::kBfloat16, 0.1F), 0x3DCD);
}

TEST(Dtype, SectionsEndAtAMultipleOfFourBytes) {
  EXPECT_EQ(values_bytes(Dtype::kBfloat16, 3), 8U);
  EXPECT_EQ(values_bytes(Dtype::kFloat16, 4), 8U);
  EXPECT_EQ(values_bytes(Dtype::kFloat32, 3), 12U);
  EXPECT_EQ(of_gradients(Dtype::kFloat16), Dtype::kBfloat16);
}

}  // namespace
}  // namespace capstan
