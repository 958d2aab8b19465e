// gru: a gated recurrent unit over each sequence.
#pragma once

#include "worker/nn/sequences.h"
#include "worker/nn/tape.h"

namespace capstan {

// x [rows, 3d]: what the items give to update gate, reset gate and candidate, biases included; of_gates
// [d, 2d] and of_candidate [d, d] weigh the state before. Gives the state behind each item, [rows, d]:
//   z = σ(x_z + h·U_z), r = σ(x_r + h·U_r), c = tanh(x_c + (r ⊙ h)·U_c), h' = (1 - z) ⊙ h + z ⊙ c
// beginning with h = 0. Source: Cho et al. 2014; Hidasi et al., ICLR 2016, eq. 1 to 4.
Var gru(Tape& tape, Var x, Var of_gates, Var of_candidate, const Sequences& sequences);

}  // namespace capstan
