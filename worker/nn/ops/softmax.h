// softmax: each row's values as shares that are positive and sum to one.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// x [n, c]; gives e^x_j / Σ_k e^x_k [n, c], for x of any size.
Var softmax(Tape& tape, Var x);

}  // namespace capstan
