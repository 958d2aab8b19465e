// layer_norm: each example's values brought to mean 0 and variance 1, then scaled and shifted by learned
// rows.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

inline constexpr float kLayerNormEpsilon = 1e-5F;

// x [n, c], parameters [2, c]: the gain, then the shift; gives [n, c]. Variance is over c, with the epsilon
// added. Source: Ba, Kiros and Hinton 2016, "Layer Normalization".
Var layer_norm(Tape& tape, Var x, Var parameters);

}  // namespace capstan
