// GradientCombiner: from what the micro-batches' tapes left to one gradient a row.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "worker/nn/micro_batch.h"
#include "worker/nn/tape.h"

namespace capstan {

// One of the model's tables: what was pulled, and where its gradient goes.
struct GradientTarget {
  bool dense = false;
  std::uint32_t key_set = 0;  // sparse: targets of one key set were pulled with the same keys
  float l2 = 0.0F;            // adds l2 · row for each entry that names the row; dense: for each example
  ConstMatrix rows;           // [keys, dim]
  Matrix gradient;            // [keys, dim], overwritten
};

// Sums in a fixed order: a sparse row over its entries by field, then example; a dense one over
// micro-batches. So the result is the same to the bit on any number of threads. Keeps its memory from step to
// step; one caller at a time.
class GradientCombiner {
 public:
  struct Part {
    const Tape* tape = nullptr;  // after backward(); all parts of one model, so with the same operations
    const MicroBatch* batch = nullptr;
  };
  // REQUIRES: a tape uses each (table, field) in at most one embedding input, and a field either pooled or as
  // a sequence.
  void combine(std::span<const GradientTarget> targets, std::span<const Part> parts);

 private:
  struct Occurrence {
    std::uint32_t part, row, field, entry;  // row: of the output, an example or a place of a sequence
  };
  // The entries of every key: occurrences[starts[k] .. starts[k + 1]).
  struct KeyIndex {
    std::uint32_t keys = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> fields;  // ascending, each with a slot that reads it
    std::vector<std::uint32_t> starts;
    std::vector<Occurrence> occurrences;
  };
  struct Block {
    std::uint32_t target;
    std::size_t begin, end;  // keys; dense: values
  };
  static constexpr std::uint32_t kUnused = 0xffffffff;

  void plan(std::span<const GradientTarget> targets, std::span<const Part> parts);
  static void build(KeyIndex& index, std::span<const Part> parts);
  void combine_sparse(const GradientTarget& target, std::uint32_t table, std::span<const Part> parts,
                      const Block& block) const;
  static void combine_dense(const GradientTarget& target, std::uint32_t table, std::span<const Part> parts,
                            const Block& block);

  std::vector<KeyIndex> indices_;  // by key set
  std::vector<std::vector<std::uint32_t>>
      slots_;  // [table][field]: place in embedding_gradients(), or kUnused
  std::vector<Block> blocks_;
};

}  // namespace capstan
