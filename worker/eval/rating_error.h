// RMSE and MAE: distances between predicted and given numbers.
#pragma once

#include <span>

namespace capstan {

// Both are 0 when empty.
double rmse(std::span<const float> predictions, std::span<const float> labels);
double mae(std::span<const float> predictions, std::span<const float> labels);

}  // namespace capstan
