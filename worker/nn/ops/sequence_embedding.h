// sequence_embedding: the row of each item of each sequence.
#pragma once

#include <cstdint>

#include "worker/nn/sequences.h"
#include "worker/nn/tape.h"

namespace capstan {

// Gives [sequences.rows(), dim of the table]: the entries' rows times their weights. Its gradient is left on
// the tape for combine(). REQUIRES: the sequences are of this batch and field.
Var sequence_embedding(Tape& tape, const MicroBatch& batch, std::uint32_t table, std::uint32_t field,
                       const Sequences& sequences);

}  // namespace capstan
