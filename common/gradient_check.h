// What a worker looks at before it pushes, and a server before it lets a push near the rows.
#pragma once

#include <cstddef>
#include <span>

namespace capstan {

// Squares of larger ones overflow in the optimizers' accumulators and turn into NaN a push later.
constexpr float kMaxGradient = 1e18F;

// The index of the first value that is NaN, infinite or beyond +-kMaxGradient; values.size() when there is
// none.
std::size_t first_unusable(std::span<const float> values);

}  // namespace capstan
