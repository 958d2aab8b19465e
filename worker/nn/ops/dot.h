// dot: the inner product of each pair of rows.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// a, b [n, c]; gives [n, 1].
Var dot(Tape& tape, Var a, Var b);

}  // namespace capstan
