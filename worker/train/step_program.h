// StepProgram: what a worker computes, apart from how rows and gradients travel. Training a model, evaluating
// it and alternating least squares are programs; the trainer runs any of them over the cluster, the simulator
// tiny ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/hash.h"
#include "common/message.h"
#include "common/result.h"
#include "common/table_spec.h"

namespace capstan {

enum class WorkKind : std::uint8_t { kTrain, kEvaluate, kMerge };

// A slice of a pass, leased to one worker at a time. Batch n of partition p of P reads the positions
// [(n * P + p) * batch_size, ...) of the pass's permutation: the same formula in every consistency mode.
struct WorkItem {
  WorkKind kind = WorkKind::kTrain;
  std::uint32_t pass = 0;
  std::uint32_t partition = 0;
  std::uint32_t num_partitions = 1;
  std::string name;            // evaluate and merge: "valid", "test", "baseline:item_knn"
  std::vector<Buffer> inputs;  // merge: what finish() of each evaluated partition gave, in partition order
};

// The rows of one table that one step reads, and its gradients.
struct StepTable {
  std::uint32_t table = 0;       // index into StepProgram::tables()
  std::vector<Key> keys;         // unique, sorted by (shard_of(key), key); see sort_for_wire()
  std::vector<float> rows;       // [keys, dim], filled by the pull in the order of keys
  std::vector<float> gradients;  // [keys, dim], filled by compute(); empty: nothing is pushed for this table
};

// What a program carries from build() to compute().
struct StepData {
  virtual ~StepData() = default;
};

struct Step {
  std::uint64_t batch = 0;
  std::vector<StepTable> tables;
  std::unique_ptr<StepData> data;
  std::uint64_t examples = 0;  // set by compute()
  double loss_sum = 0.0;       // over examples; set by compute()
};

struct ProgramInfo {
  std::uint64_t data_fingerprint = 0;
  std::uint64_t train_examples = 0;
  struct Part {
    std::string name;
    std::uint32_t partitions = 1;
  };
  std::vector<Part> evaluate_parts;  // "valid", "test", "baseline:item_knn", "recommend"
  std::string summary;               // statistics of the data, in words
  DataCounts counts;
};

// Deterministic: build() and compute() depend only on the job, its seed, the item, the batch and the pulled
// rows.
class StepProgram {
 public:
  virtual ~StepProgram() = default;

  virtual const ProgramInfo& info() const = 0;
  virtual const std::vector<TableSpec>& tables() const = 0;
  virtual std::uint64_t num_batches(const WorkItem& item) const = 0;
  // Reads examples, draws negatives, fills step.tables[].{table, keys} and step.data. Runs off the loop,
  // perhaps beside compute() of another step.
  virtual Status build(const WorkItem& item, std::uint64_t batch, Step& step) = 0;
  // Reads rows, writes gradients (training) or keeps results (evaluation). Runs off the loop; one call at a
  // time an item. kInvalid refuses the batch (NaN in data or gradients) with a message that names it: nothing
  // is pushed for it.
  virtual Status compute(const WorkItem& item, Step& step) = 0;
  // After the item's last batch: evaluation results as bytes, empty for training. Merge items have no
  // batches, only this.
  virtual Result<Buffer> finish(const WorkItem& item) = 0;
};

// Sorts by (shard, key) and removes duplicates.
void sort_for_wire(std::vector<Key>& keys, std::uint32_t num_shards);

}  // namespace capstan
