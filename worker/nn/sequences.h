// Sequences: the lists of a field one after the other, without padding, as encoders of sequences read them.
#pragma once

#include <cstdint>
#include <span>

#include "worker/nn/micro_batch.h"

namespace capstan {

// Row r of a sequence's matrix stands for one item of one list. Examples that share a list (see
// FieldEntries::shared) have one sequence, of which each sees the rows up to its own last: encoders look back
// only, so what they give there is what they would give for the example's list alone.
struct Sequences {
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::span<const std::uint32_t> starts;   // [sequences + 1]: sequence s has rows [starts[s], starts[s + 1])
  std::span<const std::uint32_t> entries;  // [rows]: the field's entry
  std::span<const std::uint32_t> last;     // [n]: the example's latest row; kNone: its list is empty
  std::span<const std::uint64_t> seeds;    // [rows]: for dropout, whatever the batch and its cuts

  std::uint32_t count() const { return static_cast<std::uint32_t>(starts.size() - 1); }
  std::uint32_t rows() const { return static_cast<std::uint32_t>(entries.size()); }
};

// Of each list the latest `max_length` entries: of a shared one the latest that any example sees, so that an
// example with nothing among them has none. Lives in the arena.
Sequences pack(Arena& arena, const MicroBatch& batch, std::uint32_t field, std::uint32_t max_length);

}  // namespace capstan
