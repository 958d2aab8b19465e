// numeric_embedding: a vector for each number of an example, its feature's vector times its value.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// x [n, m], vectors [m, dim]; gives [n, m·dim], block f being x_f · v_f.
Var numeric_embedding(Tape& tape, Var x, Var vectors);

}  // namespace capstan
