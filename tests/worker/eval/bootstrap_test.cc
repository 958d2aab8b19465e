#include "worker/eval/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(Bootstrap, EstimatesAreThoseOfTheDataItself) {
  const std::vector<double> a = {1, 2, 6}, b = {1, 1, 1};
  EXPECT_NEAR(bootstrap_difference(a, b, {}).estimate, 2.0, 1e-12);
  EXPECT_NEAR(bootstrap_ratio(a, b, {}).estimate, 3.0, 1e-12);
}

TEST(Bootstrap, AConstantDifferenceIsCertainHoweverUsersVary) {
  Rng rng(1);
  std::vector<double> a, b;
  for (int i = 0; i < 50; ++i) {
    b.push_back(rng.uniform());
    a.push_back(b.back() + 0.25);
  }
  const Interval interval = bootstrap_difference(a, b, {});
  EXPECT_NEAR(interval.low, 0.25, 1e-12);
  EXPECT_NEAR(interval.high, 0.25, 1e-12);
}

TEST(Bootstrap, AgreesWithTheNormalInterval) {
  Rng rng(2);
  std::vector<double> a, b;
  double sum = 0, squares = 0;
  for (int i = 0; i < 2000; ++i) {
    a.push_back(1 + rng.normal());
    b.push_back(rng.normal());
    sum += a.back() - b.back();
    squares += (a.back() - b.back()) * (a.back() - b.back());
  }
  const double mean = sum / 2000, error = std::sqrt((squares / 2000 - mean * mean) / 2000);
  const Interval interval = bootstrap_difference(a, b, {4000, 0.95, 3});
  EXPECT_NEAR(interval.low, mean - 1.96 * error, 0.15 * error);
  EXPECT_NEAR(interval.high, mean + 1.96 * error, 0.15 * error);
}

TEST(Bootstrap, CoversTheTruthAboutAsOftenAsItSays) {
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    std::vector<double> a, b;
    for (int i = 0; i < 60; ++i) {
      a.push_back(2 + rng.uniform());
      b.push_back(1 + rng.uniform());
    }
    const Interval interval = bootstrap_ratio(a, b, {300, 0.9, seed});
    covered += interval.low <= 2.5 / 1.5 && 2.5 / 1.5 <= interval.high ? 1 : 0;
  }
  EXPECT_NEAR(covered / 300.0, 0.9, 0.06);
}

TEST(Bootstrap, ASeedFixesTheInterval) {
  const std::vector<double> a = {1, 2, 3, 4}, b = {2, 1, 4, 3};
  const Interval first = bootstrap_difference(a, b, {100, 0.95, 5});
  const Interval again = bootstrap_difference(a, b, {100, 0.95, 5});
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
}

TEST(Bootstrap, SamplesWithoutABaselineAreLeftOutOfTheRatio) {
  const std::vector<double> a = {1, 1, 1}, b = {0, 0, 1};
  const Interval interval = bootstrap_ratio(a, b, {});
  EXPECT_NEAR(interval.estimate, 3.0, 1e-12);
  EXPECT_TRUE(std::isfinite(interval.low) && std::isfinite(interval.high));
}

}  // namespace
}  // namespace capstan
