// SequenceReader: what a sequence says of the item that comes next.
#pragma once

#include "worker/nn/sequences.h"
#include "worker/nn/tape.h"

namespace capstan {

// Immutable, like the model it is a part of. Row r of the result depends on rows of its sequence up to r
// alone.
class SequenceReader {
 public:
  virtual ~SequenceReader() = default;
  virtual Var forward(Tape& tape, const Sequences& sequences, Var items) const = 0;  // [rows, d], like items
};

}  // namespace capstan
