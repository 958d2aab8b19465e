#include "worker/eval/paired_tests.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/rng.h"
#include "tests/worker/eval/golden_values.h"

namespace capstan {
namespace {

using Values = std::vector<double>;

TEST(PairedTests, AgreeWithSciPy) {
  const auto cases = golden_values("paired.txt");
  ASSERT_EQ(cases.size(), 7U);
  for (const auto& [name, lines] : cases) {
    SCOPED_TRACE(name);
    const TestResult t = paired_t(lines.at("a"), lines.at("b"));
    EXPECT_NEAR(t.statistic, lines.at("t")[0], 1e-9);
    EXPECT_NEAR(t.p, lines.at("t")[1], 1e-9);
    const TestResult w = wilcoxon(lines.at("a"), lines.at("b"));
    EXPECT_NEAR(w.statistic, lines.at("wilcoxon")[0], 1e-9);
    EXPECT_NEAR(w.p, lines.at("wilcoxon")[1], 1e-9);
  }
}

// By hand: differences 1, 2, 3 have mean 2, deviation 1, so t = 2 / (1 / sqrt 3); with two degrees of freedom
// P(|T| > t) = 1 - t / sqrt(2 + t^2).
TEST(PairedTests, StudentsTByHand) {
  const TestResult t = paired_t(Values{2, 4, 6}, Values{1, 2, 3});
  EXPECT_NEAR(t.statistic, 2.0 * std::sqrt(3.0), 1e-12);
  EXPECT_NEAR(t.p, 1.0 - std::sqrt(12.0 / 14.0), 1e-12);
}

TEST(PairedTests, EqualDifferencesAreCertainOrNothing) {
  EXPECT_EQ(paired_t(Values{1, 2}, Values{1, 2}).p, 1.0);
  EXPECT_EQ(wilcoxon(Values{1, 2}, Values{1, 2}).p, 1.0);
  EXPECT_EQ(paired_t(Values{2, 3}, Values{1, 2}).p, 0.0);
  EXPECT_EQ(paired_t(Values{5}, Values{1}).p, 1.0);
}

// Ranks of |1|, |-2|, |3|, |4|: the minus has 2 of 10. Of the 16 signs sums 0, 1, 2 come up once each.
TEST(PairedTests, WilcoxonByHand) {
  const TestResult w = wilcoxon(Values{1, -2, 3, 4, 0}, Values{0, 0, 0, 0, 0});
  EXPECT_EQ(w.statistic, 2.0);
  EXPECT_NEAR(w.p, 2.0 * 3 / 16, 1e-12);
}

// Every choice of signs, with the ranks that ties give.
TEST(PairedTests, SmallWilcoxonIsExactWithTiesToo) {
  Rng rng(3);
  for (int round = 0; round < 20; ++round) {
    Values a, b(10, 0.0);
    for (int i = 0; i < 10; ++i) a.push_back((rng.chance(0.4) ? -1.0 : 1.0) * (1.0 + rng.below(4)));
    Values sizes;
    for (const double each : a) sizes.push_back(std::abs(each));
    const Values ranks = mid_ranks(sizes);
    const TestResult w = wilcoxon(a, b);
    int as_small = 0;
    for (int signs = 0; signs < 1024; ++signs) {
      double plus = 0.0;
      for (int i = 0; i < 10; ++i) plus += (signs >> i & 1) == 0 ? 0.0 : ranks[static_cast<std::size_t>(i)];
      as_small += plus <= w.statistic ? 1 : 0;
    }
    EXPECT_NEAR(w.p, std::min(1.0, 2.0 * as_small / 1024), 1e-12);
  }
}

// Where the two ways meet they tell the same, to what the normal distribution is worth.
TEST(PairedTests, ExactAndApproximateWilcoxonMeet) {
  Rng rng(4);
  Values a, b(kExactPairs + 1, 0.0);
  for (std::size_t i = 0; i <= kExactPairs; ++i) a.push_back(0.3 + rng.normal());
  const double approximate = wilcoxon(a, b).p;
  a.pop_back();
  b.pop_back();
  EXPECT_NEAR(wilcoxon(a, b).p, approximate, 0.05);
}

TEST(PairedTests, AreRightAsOftenAsTheySay) {
  Rng rng(5);
  int t_errs = 0, wilcoxon_errs = 0;
  for (int round = 0; round < 2000; ++round) {
    Values a, b;
    for (int i = 0; i < 30; ++i) {
      const double user = rng.normal();
      a.push_back(user + rng.normal());
      b.push_back(user + rng.normal());
    }
    t_errs += paired_t(a, b).p < 0.05 ? 1 : 0;
    wilcoxon_errs += wilcoxon(a, b).p < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(t_errs / 2000.0, 0.05, 0.015);
  EXPECT_NEAR(wilcoxon_errs / 2000.0, 0.05, 0.015);
}

// By hand, as in Holm's paper: .01 x 4, .02 x 3, .03 x 2 (not below the one before), .9.
TEST(Holm, ByHand) {
  EXPECT_EQ(holm(Values{0.03, 0.01, 0.9, 0.02}), (Values{0.06, 0.04, 0.9, 0.06}));
  EXPECT_EQ(holm(Values{0.5, 0.6}), (Values{1.0, 1.0}));
  EXPECT_EQ(holm(Values{}), Values{});
  EXPECT_EQ(holm(Values{0.04}), Values{0.04});
}

TEST(MidRanks, TiesShareTheirMean) {
  EXPECT_EQ(mid_ranks(Values{3, 1, 3, 2}), (Values{3.5, 1.0, 3.5, 2.0}));
}

}  // namespace
}  // namespace capstan
