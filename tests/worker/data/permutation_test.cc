#include "worker/data/permutation.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

void expect_bijection(const Permutation& permutation) {
  std::vector<bool> seen(permutation.size(), false);
  for (std::uint64_t i = 0; i < permutation.size(); ++i) {
    const std::uint64_t x = permutation[i];
    ASSERT_LT(x, permutation.size());
    ASSERT_FALSE(seen[x]) << x << " twice";
    seen[x] = true;
  }
}

TEST(Permutation, IsABijectionForEverySize) {
  for (std::uint64_t n = 1; n <= 300; ++n) {
    SCOPED_TRACE(n);
    expect_bijection(Permutation(n * 31, n % 7, n));
  }
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    expect_bijection(Permutation(seed, 0, 1 + Rng(seed).below(20000)));
  }
}

TEST(Permutation, SeedAndPassChangeTheOrder) {
  const Permutation a(1, 0, 1000), b(1, 1, 1000), c(2, 0, 1000), again(1, 0, 1000);
  int same_pass = 0, same_seed = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    same_pass += a[i] == b[i] ? 1 : 0;
    same_seed += a[i] == c[i] ? 1 : 0;
    ASSERT_EQ(a[i], again[i]);
  }
  EXPECT_LT(same_pass, 12);
  EXPECT_LT(same_seed, 12);
}

// Where position 0 goes, over many seeds: chi-square with 15 degrees of freedom, .9999 quantile.
TEST(Permutation, PositionsGoEverywhereAlike) {
  for (const std::uint64_t position : {0ULL, 5ULL, 15ULL}) {
    std::vector<double> counts(16, 0.0);
    for (std::uint64_t seed = 0; seed < 16000; ++seed) counts[Permutation(seed, 3, 16)[position]] += 1.0;
    double chi = 0.0;
    for (const double count : counts) chi += (count - 1000.0) * (count - 1000.0) / 1000.0;
    EXPECT_LT(chi, 44.3) << "position " << position;
  }
}

}  // namespace
}  // namespace capstan
