// prelu: x where positive, else slope · x, with one learned slope a column.
#pragma once

#include "worker/nn/tape.h"

namespace capstan {

// x [n, c], slope [1, c]; gives [n, c]. Source: He et al. 2015, "Delving Deep into Rectifiers", equation 1.
Var prelu(Tape& tape, Var x, Var slope);

}  // namespace capstan
