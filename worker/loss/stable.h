// Sigmoid and its relatives without overflow.
#pragma once

#include <cmath>

namespace capstan {

inline double sigmoid(double x) {
  const double e = std::exp(-std::abs(x));
  return x >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

// log(1 + exp(x))
inline double softplus(double x) {
  return (x > 0.0 ? x : 0.0) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace capstan
