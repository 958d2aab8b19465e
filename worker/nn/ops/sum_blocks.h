// sum_blocks: adds up the vectors that stand side by side in a row.
#pragma once

#include <cstdint>

#include "worker/nn/tape.h"

namespace capstan {

// x [n, m·dim]; gives [n, dim]. With dim 1: the sum of each row. A single block is given back as it is.
Var sum_blocks(Tape& tape, Var x, std::uint32_t dim);

}  // namespace capstan
