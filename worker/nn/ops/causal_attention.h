// causal_attention: every item of a sequence looks at those up to itself.
#pragma once

#include <cstdint>

#include "worker/nn/sequences.h"
#include "worker/nn/tape.h"

namespace capstan {

// x [rows, 3c]: queries, keys and values side by side, each cut into `heads` blocks of w = c / heads columns;
// gives [rows, c]. In each block row i of a sequence becomes Σ_{j ≤ i} a_ij·v_j, a_i = softmax_j(q_i·k_j /
// √w). REQUIRES: c is a multiple of heads. Source: Vaswani et al. 2017, "Attention Is All You Need", eq. 1.
Var causal_attention(Tape& tape, Var x, std::uint32_t heads, const Sequences& sequences);

}  // namespace capstan
