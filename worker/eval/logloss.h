// Log loss: the mean negative log-likelihood of binary labels.
#pragma once

#include <span>

namespace capstan {

// -mean(y ln p + (1-y) ln(1-p)), natural logarithm. labels lie in [0, 1].
// probabilities are clipped to [1e-7, 1 - 1e-7], so that one certain mistake costs 16 and not infinity. 0
// when empty.
double logloss(std::span<const float> probabilities, std::span<const float> labels);

}  // namespace capstan
