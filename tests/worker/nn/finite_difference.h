// Compares a gradient with central differences.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <span>
#include <string>

#include "common/rng.h"

namespace capstan {

// f(): a function of `values`, which it reads where they are. gradient: what is claimed to be df / dvalues.
inline void expect_gradient(const std::string& what, std::span<float> values, std::span<const float> gradient,
                            const std::function<double()>& f, double step = 5e-3, double tolerance = 2e-3) {
  ASSERT_EQ(values.size(), gradient.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float kept = values[i];
    values[i] = kept + static_cast<float>(step);
    const double up = f();
    const double above = values[i];
    values[i] = kept - static_cast<float>(step);
    const double down = f();
    const double below = values[i];
    values[i] = kept;
    const double expected = (up - down) / (above - below);
    EXPECT_NEAR(gradient[i], expected, tolerance * (1.0 + std::abs(expected))) << what << ", value " << i;
  }
}

// Values in [-1, 1] that keep away from 0, where some functions have a kink.
inline void fill_random(std::span<float> values, Rng& rng) {
  for (float& value : values) {
    const double magnitude = 0.1 + 0.9 * rng.uniform();
    value = static_cast<float>(rng.chance(0.5) ? magnitude : -magnitude);
  }
}

}  // namespace capstan
