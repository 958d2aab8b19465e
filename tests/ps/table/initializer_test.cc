#include "ps/table/initializer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace capstan {
namespace {

std::vector<float> fill(const InitSpec& spec, Key key, std::uint32_t dim) {
  std::vector<float> weights(dim);
  Initializer(spec, dim).fill(key, weights.data());
  return weights;
}

struct Moments {
  double mean, deviation, largest;
};

Moments moments(const InitSpec& spec, std::uint32_t dim) {
  const Initializer initializer(spec, dim);
  std::vector<float> weights(dim);
  double sum = 0.0, squares = 0.0, largest = 0.0;
  constexpr int kRows = 20000;
  for (Key key = 0; key < kRows; ++key) {
    initializer.fill(key, weights.data());
    for (const float w : weights) {
      const double x = static_cast<double>(w);
      sum += x;
      squares += x * x;
      largest = std::max(largest, std::fabs(x));
    }
  }
  const double n = kRows * static_cast<double>(dim);
  return {sum / n, std::sqrt(squares / n - sum / n * (sum / n)), largest};
}

// Jobs depend on these values: a change makes every restored or replicated fresh row another one.
TEST(Initializer, GoldenValues) {
  EXPECT_EQ(fill({.kind = InitKind::kNormal, .scale = 1.0F, .seed = 42}, 7, 3),
            (std::vector<float>{1.5624603F, 1.21027112F, 0.182912007F}));
  EXPECT_EQ(fill({.kind = InitKind::kUniform, .scale = 1.0F, .seed = 42}, ~0ULL, 3),
            (std::vector<float>{-0.529291689F, -0.399311513F, 0.379832953F}));
}

TEST(Initializer, DependsOnSeedKeyAndElementOnly) {
  const InitSpec spec{.kind = InitKind::kNormal, .scale = 0.5F, .seed = 1};
  InitSpec other = spec;
  other.seed = 2;
  EXPECT_EQ(fill(spec, 5, 8), fill(spec, 5, 8));
  EXPECT_NE(fill(spec, 5, 8), fill(spec, 6, 8));
  EXPECT_NE(fill(spec, 5, 8), fill(other, 5, 8));
  const std::vector<float> wide = fill(spec, 5, 8);
  for (std::size_t i = 1; i < wide.size(); ++i) EXPECT_NE(wide[i], wide[0]);
}

TEST(Initializer, Distributions) {
  const Moments uniform = moments({.kind = InitKind::kUniform, .scale = 0.3F, .seed = 3}, 9);
  EXPECT_NEAR(uniform.mean, 0.0, 0.002);
  EXPECT_NEAR(uniform.deviation, 0.3 / std::sqrt(3.0), 0.001);
  EXPECT_LE(uniform.largest, 0.3000001);
  EXPECT_GE(uniform.largest, 0.2999);

  const Moments normal = moments({.kind = InitKind::kNormal, .scale = 0.2F, .seed = 3}, 9);
  EXPECT_NEAR(normal.mean, 0.0, 0.002);
  EXPECT_NEAR(normal.deviation, 0.2, 0.001);
  EXPECT_GE(normal.largest, 0.2 * 4.0);

  const Moments xavier =
      moments({.kind = InitKind::kXavierUniform, .fan_in = 10, .fan_out = 14, .seed = 3}, 14);
  EXPECT_NEAR(xavier.deviation, 0.5 / std::sqrt(3.0), 0.002);  // half width sqrt(6 / 24)
  EXPECT_LE(xavier.largest, 0.5000001);

  const Moments he = moments({.kind = InitKind::kHeNormal, .fan_in = 8, .seed = 3}, 4);
  EXPECT_NEAR(he.deviation, 0.5, 0.004);
}

TEST(Initializer, FansDefaultToTheDim) {
  EXPECT_EQ(fill({.kind = InitKind::kHeNormal, .seed = 3}, 1, 8),
            fill({.kind = InitKind::kHeNormal, .fan_in = 8, .seed = 3}, 1, 8));
}

TEST(Initializer, ZeroAndConstantAndBiasRows) {
  EXPECT_EQ(fill({.kind = InitKind::kZero}, 1, 2), (std::vector<float>{0.0F, 0.0F}));
  EXPECT_EQ(fill({.kind = InitKind::kConstant, .scale = 0.25F}, 1, 2), (std::vector<float>{0.25F, 0.25F}));
  const InitSpec layer{.kind = InitKind::kXavierUniform, .seed = 1, .zero_from_key = 10};
  EXPECT_NE(fill(layer, 9, 2), (std::vector<float>{0.0F, 0.0F}));
  EXPECT_EQ(fill(layer, 10, 2), (std::vector<float>{0.0F, 0.0F}));
  EXPECT_EQ(fill(layer, 11, 2), (std::vector<float>{0.0F, 0.0F}));
}

}  // namespace
}  // namespace capstan
