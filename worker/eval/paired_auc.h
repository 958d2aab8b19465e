// Two AUCs of the same examples: whether their difference may be chance, and its interval.
#pragma once

#include <optional>
#include <span>

#include "worker/eval/bootstrap.h"
#include "worker/eval/paired_tests.h"

namespace capstan {

// DeLong's test of auc(a) - auc(b): the statistic is z, its variance from each example's own share in both
// AUCs, ties counting one half. p is 1 when the two never order a pair differently. Nothing when a class has
// fewer than two examples. labels: positive above 0.5. REQUIRES: equally many of all three, no NaN.
// Source: DeLong, DeLong and Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver
// Operating Characteristic Curves" (Biometrics 1988); by mid-ranks as in Sun and Xu, "Fast Implementation of
// DeLong's Algorithm" (IEEE Signal Processing Letters 2014).
std::optional<TestResult> delong(std::span<const float> a, std::span<const float> b,
                                 std::span<const float> labels);

// Percentile interval of auc(a) - auc(b) when examples are drawn with replacement; draws of one class are
// left out. Nothing when the examples themselves are. O(samples * examples) after two sorts.
std::optional<Interval> bootstrap_auc_difference(std::span<const float> a, std::span<const float> b,
                                                 std::span<const float> labels,
                                                 const BootstrapOptions& options);

}  // namespace capstan
