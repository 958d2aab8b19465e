// dense: x · W + b, the layer whose weights are one table.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// x [n, in], weights [in + 1, out] with the bias as its last row; gives [n, out].
Var dense(Tape& tape, Var x, Var weights);

}  // namespace capstan
