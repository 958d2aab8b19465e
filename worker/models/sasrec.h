// SASRec: self-attention over the items before.
#pragma once

#include <memory>

#include "worker/models/model_tables.h"
#include "worker/models/sequence_reader.h"

namespace capstan {

// x_t = dropout(m_{s_t} + p_t); then in each of `blocks`
//   x ← x + dropout(attention(LN(x)·W_qkv + b)),  x ← x + dropout(W_2·f(W_1·LN(x) + b_1) + b_2)
// and at last LN(x), layer by layer of width d; f is `activation`, relu in the paper, and attention is causal
// with `heads` heads. Places p count from the first item of the sequence. Tables positions [max_length, d],
// block_B_{norm1, qkv, norm2, ffn1, ffn2} and out_norm. Source: Kang and McAuley, ICDM 2018, "Self-Attentive
// Sequential Recommendation", eq. 1 to 5 and g(x) = x + Dropout(g(LayerNorm(x))).
std::unique_ptr<SequenceReader> make_sasrec(ModelTables& tables, std::uint32_t dim);

}  // namespace capstan
