// unit_rows: each row brought to length 1.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// Added to a row's squared length, so that a row of zeros stays one.
inline constexpr float kUnitRowsEpsilon = 1e-12F;

// x [n, c]; gives x_i / √(|x_i|² + ε), [n, c].
Var unit_rows(Tape& tape, Var x);

}  // namespace capstan
