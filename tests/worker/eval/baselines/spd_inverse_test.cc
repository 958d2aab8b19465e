#include "worker/baselines/spd_inverse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

// R'R + shift · I of a random R [n, n].
std::vector<float> random_spd(std::uint64_t seed, std::uint32_t n, float shift) {
  Rng rng(seed);
  std::vector<float> root(std::size_t{n} * n), matrix(std::size_t{n} * n);
  for (float& value : root) value = static_cast<float>(rng.normal());
  for (std::uint32_t k = 0; k < n; ++k) {
    for (std::uint32_t i = 0; i < n; ++i) {
      for (std::uint32_t j = 0; j < n; ++j) matrix[i * n + j] += root[k * n + i] * root[k * n + j];
    }
  }
  for (std::uint32_t i = 0; i < n; ++i) matrix[i * n + i] += shift;
  return matrix;
}

TEST(SpdInverse, HandComputed) {
  std::vector<float> m = {4, 2, 2, 3};
  ASSERT_TRUE(invert_spd(Matrix{m.data(), 2, 2}).ok());
  EXPECT_NEAR(m[0], 3.0 / 8, 1e-6);
  EXPECT_NEAR(m[1], -2.0 / 8, 1e-6);
  EXPECT_NEAR(m[2], -2.0 / 8, 1e-6);
  EXPECT_NEAR(m[3], 4.0 / 8, 1e-6);
}

TEST(SpdInverse, TimesTheMatrixIsTheIdentityAtEverySizeOfHalves) {
  for (const std::uint32_t n : {1U, 63U, 64U, 65U, 130U, 257U, 300U}) {
    const auto matrix = random_spd(n, n, 10.0F);
    auto inverse = matrix;
    ASSERT_TRUE(invert_spd(Matrix{inverse.data(), n, n}).ok());
    double worst = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      for (std::uint32_t j = 0; j < n; ++j) {
        double sum = i == j ? -1.0 : 0.0;
        for (std::uint32_t k = 0; k < n; ++k) {
          sum += static_cast<double>(matrix[i * n + k]) * static_cast<double>(inverse[k * n + j]);
        }
        worst = std::max(worst, std::abs(sum));
        ASSERT_NEAR(inverse[i * n + j], inverse[j * n + i], 1e-5F) << n;
      }
    }
    EXPECT_LT(worst, 2e-4) << n;
  }
}

TEST(SpdInverse, RefusesWhatIsNotPositiveDefinite) {
  std::vector<float> small = {1, 2, 2, 1};
  EXPECT_FALSE(invert_spd(Matrix{small.data(), 2, 2}).ok());
  auto large = random_spd(1, 150, 1.0F);
  large[140 * 150 + 140] = -5.0F;
  EXPECT_FALSE(invert_spd(Matrix{large.data(), 150, 150}).ok());
}

}  // namespace
}  // namespace capstan
