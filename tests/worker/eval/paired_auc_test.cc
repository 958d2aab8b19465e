#include "worker/eval/paired_auc.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/rng.h"
#include "tests/worker/eval/golden_values.h"
#include "worker/eval/auc.h"

namespace capstan {
namespace {

using Scores = std::vector<float>;

TEST(DeLong, AgreesWithThePapersEquations) {
  const auto cases = golden_values("auc.txt");
  ASSERT_EQ(cases.size(), 2U);
  for (const GoldenValues& golden : cases) {
    SCOPED_TRACE(golden.name);
    const auto a = golden.floats("a"), b = golden.floats("b"), labels = golden.floats("labels");
    EXPECT_NEAR(*auc(a, labels), golden.lines.at("auc")[0], 1e-9);
    EXPECT_NEAR(*auc(b, labels), golden.lines.at("auc")[1], 1e-9);
    const auto test = delong(a, b, labels);
    ASSERT_TRUE(test.has_value());
    EXPECT_NEAR(test->statistic, golden.lines.at("delong")[0], 1e-6);
    EXPECT_NEAR(test->p, golden.lines.at("delong")[1], 1e-6);
  }
}

TEST(DeLong, NeedsTwoOfEachClass) {
  EXPECT_FALSE(delong(Scores{1, 2, 3}, Scores{1, 2, 3}, Scores{0, 0, 1}).has_value());
  EXPECT_FALSE(bootstrap_auc_difference(Scores{1, 2}, Scores{1, 2}, Scores{1, 1}, {}).has_value());
}

TEST(DeLong, TheSameOrderIsNoDifference) {
  const Scores a = {1, 2, 3, 4}, b = {2, 4, 6, 8}, labels = {0, 1, 0, 1};
  EXPECT_EQ(delong(a, b, labels)->p, 1.0);
}

TEST(DeLong, ErrsAsOftenAsItSays) {
  Rng rng(1);
  int errs = 0;
  for (int round = 0; round < 1000; ++round) {
    Scores a, b, labels;
    for (int i = 0; i < 80; ++i) {
      labels.push_back(rng.chance(0.4) ? 1.0F : 0.0F);
      const double truth = static_cast<double>(labels.back()) + rng.normal();
      a.push_back(static_cast<float>(truth + rng.normal()));
      b.push_back(static_cast<float>(truth + rng.normal()));
    }
    errs += delong(a, b, labels)->p < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(errs / 1000.0, 0.05, 0.02);
}

TEST(BootstrapAuc, IsCentredOnTheDifferenceAndAboutAsWideAsDeLong) {
  Rng rng(2);
  Scores a, b, labels;
  for (int i = 0; i < 600; ++i) {
    labels.push_back(rng.chance(0.4) ? 1.0F : 0.0F);
    const double truth = static_cast<double>(labels.back()) + rng.normal();
    a.push_back(static_cast<float>(std::round(2.0 * truth)));  // with ties
    b.push_back(static_cast<float>(truth + 2.0 * rng.normal()));
  }
  const auto interval = bootstrap_auc_difference(a, b, labels, {2000, 0.95, 3});
  ASSERT_TRUE(interval.has_value());
  EXPECT_NEAR(interval->estimate, *auc(a, labels) - *auc(b, labels), 1e-12);
  const double error = interval->estimate / delong(a, b, labels)->statistic;
  EXPECT_NEAR(interval->low, interval->estimate - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(interval->high, interval->estimate + 1.96 * error, 0.25 * error);
}

}  // namespace
}  // namespace capstan
