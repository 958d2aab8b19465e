// MicroBatch: what a model sees of a batch. Keys have become positions in the rows that the step pulled.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/hash.h"
#include "worker/nn/matrix.h"

namespace capstan {

// The keys of one field. Example i has the entries [begin(i), end(i)).
struct FieldEntries {
  std::span<const std::uint32_t> offsets;    // [n + 1], indices into positions; empty: one entry an example
  std::span<const std::uint32_t> positions;  // into the keys of the field's key set (StepTable::keys)
  std::span<const float> weights;            // beside positions; empty: all 1
  std::span<const std::uint32_t> ends = {};  // [n]: where examples share entries, example i's end

  std::uint32_t begin(std::uint32_t i) const { return offsets.empty() ? i : offsets[i]; }
  std::uint32_t end(std::uint32_t i) const {
    if (!ends.empty()) return ends[i];
    return offsets.empty() ? i + 1 : offsets[i + 1];
  }
  // Whether example i's entries begin where those of the one before do: both are the past of one sequence.
  bool shared(std::uint32_t i) const { return !ends.empty() && i > 0 && offsets[i] == offsets[i - 1]; }
  float weight(std::uint32_t entry) const { return weights.empty() ? 1.0F : weights[entry]; }
};

// A view. A whole batch and a part of it look the same. For a ranking loss, `group` examples stand together:
// a positive and then its negatives; a part then holds whole groups. What a model does not read may stay
// empty: scoring needs no labels, item vectors need no user fields.
struct MicroBatch {
  std::uint32_t size = 0;
  std::span<const FieldEntries> fields;          // parallel to Dataset::fields; dense and unused ones empty
  ConstMatrix dense;                             // [size, dense fields], in the order of Dataset::fields
  std::span<const float> labels;                 // [size]
  std::span<const std::uint64_t> dropout_seeds;  // [size]: combine(job seed, pass, example, draw)
  std::uint32_t group = 1;
  std::span<const float> log_q;          // [size]: log probability of drawing the item; empty: no correction
  std::span<const std::uint32_t> items;  // [size]: in-batch losses skip a negative equal to the positive
  std::span<const float> user_weights, item_weights, negative_weights;  // [size]: PairWeights, for ultragcn

  // Whether example i has entries in common with the one before, so that no cut comes between the two.
  bool shares(std::uint32_t i) const;
};

// The examples [begin, begin + count) of `batch`. The result's fields lie in `fields`, which must outlive it.
MicroBatch slice(const MicroBatch& batch, std::uint32_t begin, std::uint32_t count,
                 std::vector<FieldEntries>& fields);

// A batch that owns its arrays: fill them, then take the view.
struct BatchData {
  struct Field {
    std::vector<std::uint32_t> offsets = {}, positions = {};
    std::vector<float> weights = {};
    std::vector<std::uint32_t> ends = {};
  };
  std::uint32_t size = 0;
  std::vector<Field> fields = {};
  std::uint32_t num_dense = 0;
  std::vector<float> dense = {};  // [size, num_dense]
  std::vector<float> labels = {};
  std::vector<std::uint64_t> dropout_seeds = {};
  std::uint32_t group = 1;
  std::vector<float> log_q = {};
  std::vector<std::uint32_t> items = {};
  std::vector<float> user_weights = {}, item_weights = {}, negative_weights = {};
  std::vector<FieldEntries> views = {};  // of fields; set by view()

  // Valid until this changes.
  MicroBatch view();
};

}  // namespace capstan
