#include "worker/nn/gemm.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "common/parallel.h"
#include "common/rng.h"

namespace capstan {
namespace {

// A plain product for every combination of transposes and awkward sizes.
TEST(Gemm, AgreesWithPlainProduct) {
  Rng rng(7);
  Arena arena;
  for (const std::uint32_t m : {1U, 2U, 17U, 65U}) {
    for (const std::uint32_t n : {1U, 3U, 31U, 129U}) {
      for (const std::uint32_t k : {1U, 5U, 37U, 257U}) {
        for (const bool ta : {false, true}) {
          for (const bool tb : {false, true}) {
            arena.reset();
            const Matrix a = ta ? arena.matrix(k, m) : arena.matrix(m, k);
            const Matrix b = tb ? arena.matrix(n, k) : arena.matrix(k, n);
            for (float& value : a.values()) value = static_cast<float>(rng.normal());
            for (float& value : b.values()) value = static_cast<float>(rng.normal());
            const Matrix c = arena.zeros(m, n);
            for (float& value : c.values()) value = 2.0F;
            gemm(a, ta ? Transpose::kYes : Transpose::kNo, b, tb ? Transpose::kYes : Transpose::kNo, 0.5F, c);
            for (std::uint32_t i = 0; i < m; ++i) {
              for (std::uint32_t j = 0; j < n; ++j) {
                double sum = 1.0;
                for (std::uint32_t l = 0; l < k; ++l) {
                  sum += static_cast<double>(ta ? a.at(l, i) : a.at(i, l)) * (tb ? b.at(j, l) : b.at(l, j));
                }
                ASSERT_NEAR(c.at(i, j), sum, 1e-4) << m << "x" << n << "x" << k << " " << ta << tb;
              }
            }
          }
        }
      }
    }
  }
}

TEST(Gemm, InnerDimensionOfNothingKeepsBetaTimesC) {
  std::vector<float> c{3.0F, 4.0F};
  gemm({nullptr, 2, 0}, Transpose::kNo, {nullptr, 0, 1}, Transpose::kNo, 0.5F, {c.data(), 2, 1});
  EXPECT_EQ(c, (std::vector<float>{1.5F, 2.0F}));
  gemm({nullptr, 2, 0}, Transpose::kNo, {nullptr, 0, 1}, Transpose::kNo, 0.0F, {c.data(), 2, 1});
  EXPECT_EQ(c, (std::vector<float>{0.0F, 0.0F}));
}

TEST(Gemm, BetaZeroDoesNotReadC) {
  std::vector<float> c{std::numeric_limits<float>::quiet_NaN()};
  const std::vector<float> two{2.0F};
  gemm({two.data(), 1, 1}, Transpose::kNo, {two.data(), 1, 1}, Transpose::kNo, 0.0F, {c.data(), 1, 1});
  EXPECT_EQ(c[0], 4.0F);
}

TEST(Gemm, ChecksItselfOnThisCpu) {
  const Status status = verify_gemm();
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(Gemm, GivesTheSameBitsFromEveryThread) {
  Rng rng(3);
  std::vector<float> a(128 * 96), b(96 * 64);
  for (float& value : a) value = static_cast<float>(rng.normal());
  for (float& value : b) value = static_cast<float>(rng.normal());
  std::vector<std::vector<float>> results(32, std::vector<float>(128 * 64));
  parallel_for(results.size(), [&](std::size_t i) {
    gemm({a.data(), 128, 96}, Transpose::kNo, {b.data(), 96, 64}, Transpose::kNo, 0.0F,
         {results[i].data(), 128, 64});
  });
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

TEST(Arena, JoinsItsPiecesAndThenGrowsNoMore) {
  Arena arena;
  const auto round = [&] {
    arena.reset();
    for (int i = 0; i < 100; ++i) {
      const Matrix matrix = arena.matrix(31, 33);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.data) % 64, 0U);
      for (float& value : matrix.values()) value = 1.0F;
    }
  };
  round();
  round();
  const std::size_t capacity = arena.capacity();
  for (int i = 0; i < 5; ++i) round();
  EXPECT_EQ(arena.capacity(), capacity);
}

}  // namespace
}  // namespace capstan
