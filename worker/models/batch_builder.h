// BatchBuilder: from the keys of a batch's examples to the keys a step pulls and the positions a model reads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/models/model_tables.h"
#include "worker/nn/micro_batch.h"
#include "worker/train/step_program.h"

namespace capstan {

// For one batch: add() every example's keys of every field that key_set_of() gives a key set, fill the rest
// of data() (size, labels, dense numbers, …), then finish().
class BatchBuilder {
 public:
  BatchBuilder(const ModelTables& tables, std::uint32_t num_shards);

  // The next example's keys of `field`, each field in the order of examples. weights: beside keys, or empty
  // (all 1).
  void add(std::uint32_t field, std::span<const Key> keys, std::span<const float> weights);
  // Puts a sequence there for the next examples to share, each with share(). REQUIRES: as of add().
  void lay(std::uint32_t field, std::span<const Key> keys, std::span<const float> weights);
  // The next example's keys are the first `length` of those that add() or lay() put there last.
  void share(std::uint32_t field, std::size_t length);
  BatchData& data() { return data_; }

  // Fills positions in data(), and gives what is to be pulled, in the order of ModelTables::all(): sparse
  // tables with their key set's unique keys, dense ones with all their keys, each in the wire's order. A
  // table without keys is left out.
  std::vector<StepTable> finish();

 private:
  struct Entries {
    std::vector<Key> keys;
    std::size_t laid = 0;  // where what was put there last begins
    bool single = true;    // one key an example so far
    bool weighted = false;
  };
  std::vector<Key> place(std::uint32_t key_set);

  const ModelTables& tables_;
  std::uint32_t num_shards_;
  BatchData data_;
  std::vector<Entries> entries_;  // by field
};

}  // namespace capstan
