// scale_blocks: every block of columns times a number of its own.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// x [n, m·c], factors [n, m]; gives [n, m·c], block b being block b of x times factor b.
Var scale_blocks(Tape& tape, Var x, Var factors);

}  // namespace capstan
