// Tests of paired values: whether a mean difference may be chance, and Holm's correction where many are
// asked about.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace capstan {

struct TestResult {
  double statistic = 0.0;
  double p = 1.0;  // two-sided
  int sign = 0;    // of a less b, as the test sees it: the mean and most of the pairs may point opposite ways
};

// Student's t of the differences a[i] - b[i] with n - 1 degrees of freedom. When all differences are equal, p
// is 1 if they are 0, else 0; with one pair p is 1. REQUIRES: as many values in b as in a, at least one.
// Source: Student, "The Probable Error of a Mean" (Biometrika 1908).
TestResult paired_t(std::span<const double> a, std::span<const double> b);

// Wilcoxon's signed ranks. Differences of 0 are left out, equal ones share their mean rank. The statistic is
// the smaller of the two rank sums. Up to kExactPairs differences p is exact, over all 2^n signs of the ranks
// as they are, ties included; beyond that from the normal distribution, its variance corrected for ties,
// without a correction for continuity. REQUIRES: as above. Source: Wilcoxon, "Individual Comparisons by
// Ranking Methods" (Biometrics Bulletin 1945); Pratt and Gibbons, "Concepts of Nonparametric Theory" (1981).
inline constexpr std::size_t kExactPairs = 50;
TestResult wilcoxon(std::span<const double> a, std::span<const double> b);

// Each p as it counts among all of them: whoever takes those below 0.05 for real errs about any of them in at
// most 5 % of all cases. In the order given. Source: Holm, "A Simple Sequentially Rejective Multiple Test
// Procedure" (Scandinavian Journal of Statistics 1979).
std::vector<double> holm(std::span<const double> p);

// The mean rank of each value among all, from 1; equal ones share theirs.
std::vector<double> mid_ranks(std::span<const double> values);

}  // namespace capstan
