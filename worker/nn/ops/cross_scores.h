// cross_scores: the inner products of every row of one matrix with every row of another.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// a [n, c], b [m, c]; gives a · bᵀ [n, m].
Var cross_scores(Tape& tape, Var a, Var b);

}  // namespace capstan
