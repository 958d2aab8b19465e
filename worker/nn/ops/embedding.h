// embedding: the pooled rows of several fields, side by side.
#pragma once

#include <cstdint>
#include <span>

#include "worker/nn/micro_batch.h"
#include "worker/nn/tape.h"

namespace capstan {

// Gives [n, Σ dim of the inputs' tables]. Its gradient is left on the tape for combine().
Var embedding(Tape& tape, const MicroBatch& batch, std::span<const EmbeddingInput> inputs);

}  // namespace capstan
