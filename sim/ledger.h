// Ledger: a test's own account of a training job: which batches there are, which rows each of them touches,
// and what a row must hold once some set of them has been applied.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/hash.h"
#include "common/segments.h"
#include "common/table_spec.h"

namespace capstan {

struct LedgerShape {
  std::uint64_t seed = 1;
  std::uint32_t passes = 2, partitions = 4, batches = 10;  // batches: of one partition in one pass
  std::uint32_t keys = 48;
  std::uint32_t keys_per_batch_max = 10;  // some batches touch few shards, some touch none
  std::uint32_t num_shards = 16;
  bool evicts = false;   // a table more, "recent", is like "model" but holds few rows: the oldest make room
  bool expires = false;  // another, "young": rows that nobody pushes for some seconds go
  bool dense = false;    // another, "dense", has few rows, and each batch with any keys pushes all of them
  bool refuses =
      false;  // some batches have a gradient that is no number: one shard refuses its slice of them
  Dtype dtype = Dtype::kFloat32;  // of the tables but "ledger"
  bool sums = false;              // rows hold sums in place of bits: for jobs of any length
};

// One slice of a pass: a batch of a partition.
struct BatchId {
  std::uint32_t pass = 0, partition = 0;
  std::uint64_t batch = 0;
  auto operator<=>(const BatchId&) const = default;
};
using Batches = std::vector<BatchId>;  // ascending, each once

bool contains(const Batches& batches, const BatchId& id);

// Every batch adds to each row it touches 1 in the first float and its own power of two in one of the others.
// So a row tells exactly which batches it has seen, and a doubled batch cannot hide a lost one. With `sums`
// it adds three numbers of its own, each up to 4096, in place of its bit: a row tells whether it has seen all
// of its batches once, but not which. All values are whole numbers below 2^24: float adds them without error
// in any order, as long as a row is touched less than 4096 times.
class Ledger {
 public:
  static constexpr std::uint32_t kBitsPerFloat = 20;

  explicit Ledger(const LedgerShape& shape);

  const LedgerShape& shape() const { return shape_; }
  // Of every partition.
  Segments segments(Consistency consistency) const {
    return consistency == Consistency::kAsync ? Segments(shape_.batches) : Segments();
  }
  std::uint32_t dim() const;
  // "ledger" has the rows described above, the others rows whose gradients depend on what was pulled.
  std::vector<TableSpec> tables() const;
  const std::vector<Key>& keys() const { return keys_; }  // of tables that are not dense; in no special order
  const std::vector<Key>& dense_keys() const { return dense_keys_; }  // sorted for the wire
  // Unique, sorted for the wire.
  std::vector<Key> touched(const BatchId& id) const;
  // Bytes of keys or gradients, whichever are more, that a batch pushes to one shard, at the most.
  std::uint64_t largest_slice() const;
  // The key's shard refuses its slice of the batch, so that the row never sees it.
  bool is_refused(const BatchId& id, Key key) const;
  // What the batch gives to every row it touches: SGD with a rate of 1 subtracts it. [dim]
  void gradient(const BatchId& id, float* out) const;

  // The batches that count for `key`, ascending; `before_batch` limits those of pass `pass`, and later passes
  // are out.
  Batches touching(Key key, std::uint32_t pass, std::uint64_t before_batch) const;
  Batches touching(Key key) const { return touching(key, shape_.passes, 0); }

  // What is wrong with the row of `key` when everything has been applied; empty: nothing. [dim]
  std::string check_whole(Key key, std::span<const float> row) const;
  // REQUIRES: no sums. Which batches a row of table "ledger" holds. False with a reason when the row is no
  // sum of different batches.
  bool decode(std::span<const float> row, Batches& batches, std::string& why) const;

 private:
  std::uint64_t number(const BatchId& id) const {
    return (std::uint64_t{id.pass} * shape_.partitions + id.partition) * shape_.batches + id.batch;
  }
  BatchId batch_of(std::uint64_t number) const;
  void add(std::uint64_t number, std::vector<float>& row) const;

  LedgerShape shape_;
  std::vector<Key> keys_, dense_keys_;
  std::vector<std::vector<Key>> touched_;  // [batches of the job]
  std::map<Key, Batches> touching_;
  std::map<Key, std::vector<float>> expected_;  // sums: the rows in the end
};

std::string to_string(const BatchId& id);

}  // namespace capstan
