// block_product: every block of columns times a matrix of its own.
#pragma once

#include <cstdint>

#include "worker/nn/tape.h"

namespace capstan {

// x [n, blocks·in], weights [blocks·in, out]; gives [n, blocks·out]: block b is block b of x times the rows
// [b·in, (b + 1)·in) of the weights. With one block it is x · W, without a bias. REQUIRES: blocks above 0.
Var block_product(Tape& tape, Var x, Var weights, std::uint32_t blocks);

}  // namespace capstan
