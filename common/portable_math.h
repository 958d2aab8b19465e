// Elementary functions whose result is the same to the bit on every CPU and C library: the system's own pick
// other instructions on other CPUs, and fresh rows and optimizer steps must agree between replicas. Built
// from + - * / only.
#pragma once

#include <cstdint>

namespace capstan {

double portable_power(double base, std::uint64_t exponent);  // base^exponent by squaring
double portable_log(double x);                               // natural. REQUIRES: x positive and finite
double portable_cos_pi(double x);                            // cos(pi * x). REQUIRES: 0 <= x <= 1
// The x at which the normal distribution function is p. REQUIRES: 1e-11 <= p <= 1 - 1e-11.
// Source: Wichura 1988, "The Percentage Points of the Normal Distribution", AS 241 (PPND16).
double portable_normal_quantile(double p);

}  // namespace capstan
