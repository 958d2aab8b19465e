// mix_blocks: weighted sums of blocks of columns, with the same weights in every row.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// x [n, m·c], weights [m, k]; gives [n, k·c]: block j is Σ_i weights_ij · block i of x.
Var mix_blocks(Tape& tape, Var x, Var weights);

}  // namespace capstan
