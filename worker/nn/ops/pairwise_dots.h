// pairwise_dots: the inner product of every pair of vectors, each pair's by itself.
#pragma once

#include <cstdint>

#include "worker/nn/tape.h"

namespace capstan {

// x [n, m·dim]: m vectors v_f an example; gives [n, m·(m - 1)/2]: <v_f, v_g> for f < g, in the order
// (0,1), (0,2), …, (1,2), …
Var pairwise_dots(Tape& tape, Var x, std::uint32_t dim);

}  // namespace capstan
