#include "worker/eval/exposure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

using Counts = std::vector<std::uint64_t>;

TEST(Exposure, CoverageIsTheShareOfItemsShown) {
  EXPECT_EQ(coverage(Counts{3, 1}, 4), 0.5);
  EXPECT_EQ(coverage(Counts{}, 0), 0.0);
}

TEST(Exposure, GiniOfTheExtremes) {
  EXPECT_EQ(gini(Counts{5, 5, 5, 5}, 4), 0.0);
  EXPECT_EQ(gini(Counts{8}, 4), 0.75);  // (n - 1) / n
  EXPECT_EQ(gini(Counts{}, 2), 0.0);
}

TEST(Exposure, GiniEqualsHalfTheRelativeMeanDifference) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    Counts counts(1 + rng.below(30));
    double total = 1;
    counts[0] = 1;
    for (std::size_t i = 1; i < counts.size(); ++i) total += static_cast<double>(counts[i] = rng.below(9));
    double differences = 0;
    for (const auto a : counts) {
      for (const auto b : counts) differences += std::abs(static_cast<double>(a) - static_cast<double>(b));
    }
    const double n = static_cast<double>(counts.size());
    Counts shown = counts;
    std::erase(shown, 0U);
    EXPECT_NEAR(gini(shown, counts.size()), differences / (2 * n * total), 1e-12) << "seed " << seed;
  }
}

TEST(Exposure, NoveltyIsTheMeanSelfInformation) {
  const std::vector<std::uint32_t> counts = {8, 2, 0}, list = {0, 1, 2};
  EXPECT_NEAR(novelty(list, counts, 16), (1.0 + 3.0 + 4.0) / 3, 1e-12);
  EXPECT_EQ(novelty({}, counts, 16), 0.0);
}

}  // namespace
}  // namespace capstan
