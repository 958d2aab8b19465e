// Sums, multiples and products of equally shaped matrices, value by value.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

Var add(Tape& tape, Var a, Var b);  // a [n, c]; b [n, c], or [1, c] added to every row
Var scale(Tape& tape, Var x, float factor);
Var multiply(Tape& tape, Var a, Var b);  // [n, c] each

}  // namespace capstan
