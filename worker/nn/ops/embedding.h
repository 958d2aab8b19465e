// embedding: the pooled rows of several fields, side by side.
#pragma once

#include <cstdint>
#include <span>

#include "worker/nn/micro_batch.h"
#include "worker/nn/tape.h"

namespace capstan {

// With entries e of an example, their weights w_e and rows r_e: sum is Σ w_e·r_e, mean divides that by the
// number of entries (whatever the weights), max takes the largest w_e·r_e of each column; all are 0 without
// entries. none puts the first `length` rows w_e·r_e side by side, zeros where there are fewer.
struct EmbeddingInput {
  std::uint32_t table = 0;
  std::uint32_t field = 0;
  Pooling pooling = Pooling::kSum;
  std::uint32_t length = 1;  // kNone only
};

// Gives [n, Σ dim of the inputs' tables]. Its gradient is left on the tape for combine().
Var embedding(Tape& tape, const MicroBatch& batch, std::span<const EmbeddingInput> inputs);

}  // namespace capstan
