// Paired bootstrap: how sure a difference between two models is, judged on the same users.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace capstan {

struct Interval {
  double estimate = 0.0;  // on the users as they are
  double low = 0.0, high = 0.0;
};

struct BootstrapOptions {
  std::uint32_t samples = 1000;
  double confidence = 0.95;
  std::uint64_t seed = 42;
};

// Percentile intervals of mean(a) - mean(b) and of mean(a) / mean(b) when users are drawn with replacement.
// a[i] and b[i] belong to the same user. Samples whose mean(b) is 0 are left out of the ratio's interval.
// REQUIRES: as many values in b as in a, at least one; samples > 0; 0 < confidence < 1.
// Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
Interval bootstrap_difference(std::span<const double> a, std::span<const double> b,
                              const BootstrapOptions& options);
Interval bootstrap_ratio(std::span<const double> a, std::span<const double> b,
                         const BootstrapOptions& options);
// The same of sqrt(mean(a)) - sqrt(mean(b)): RMSE, from squared errors.
Interval bootstrap_root_difference(std::span<const double> a, std::span<const double> b,
                                   const BootstrapOptions& options);

// Around the estimate, from the outcomes of samples; without any it is the estimate alone.
Interval percentile_interval(double estimate, std::vector<double> outcomes, double confidence);

}  // namespace capstan
