#include "common/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(PortableMath, PowerEqualsRepeatedMultiplication) {
  EXPECT_EQ(portable_power(0.5, 0), 1.0);
  EXPECT_EQ(portable_power(3.0, 5), 243.0);
  EXPECT_EQ(portable_power(0.0, 3), 0.0);
  EXPECT_NEAR(portable_power(0.999, 12345), std::pow(0.999, 12345), 1e-17);
}

TEST(PortableMath, LogIsWithinTwoUlpsOfTheSystemsOwn) {
  Rng rng(1);
  for (int i = 0; i < 20000; ++i) {
    const double x = std::exp(60.0 * rng.uniform() - 30.0);
    EXPECT_NEAR(portable_log(x), std::log(x), 4e-16 * (1.0 + std::fabs(std::log(x)))) << x;
  }
  EXPECT_EQ(portable_log(1.0), 0.0);
}

TEST(PortableMath, CosineOfHalfTurns) {
  EXPECT_EQ(portable_cos_pi(0.0), 1.0);
  EXPECT_EQ(portable_cos_pi(1.0), -1.0);
  for (int i = 0; i <= 1000; ++i) {
    const double x = i / 1000.0;
    EXPECT_NEAR(portable_cos_pi(x), std::cos(std::numbers::pi * x), 6e-16) << x;
  }
}

TEST(PortableMath, QuantileInvertsTheDistributionFunction) {
  // 0.975 -> 1.959963984540054: the two-sided 95 % point of every table.
  EXPECT_NEAR(portable_normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_EQ(portable_normal_quantile(0.5), 0.0);
  for (const double p : {1e-10, 1e-6, 0.001, 0.07, 0.075, 0.0750001, 0.3, 0.6, 0.92, 0.93, 0.9999}) {
    const double x = portable_normal_quantile(p);
    EXPECT_NEAR(0.5 * std::erfc(-x / std::numbers::sqrt2) / p, 1.0, 1e-12) << p;
  }
}

}  // namespace
}  // namespace capstan
