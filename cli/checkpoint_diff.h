// What two checkpoints have in common and what not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/checkpoint_list.h"

namespace capstan {

struct TableDifference {
  std::string table;
  std::string
      note;  // why rows were not compared, if they were not: the table is new, gone or of another shape
  std::uint64_t before = 0, after = 0;  // rows
  std::uint64_t added = 0, removed = 0, changed = 0;
  double weight_change_max = 0.0;  // of one float of a changed row
};

struct CheckpointDifference {
  std::vector<std::string> settings;  // "train.passes: 3 became 5"
  std::vector<TableDifference> tables;
  bool empty() const;
};

// Reads both, a shard of each at a time. kInvalid when they have other numbers of shards; kCorrupt.
Result<CheckpointDifference> difference(Storage& storage, const ListedCheckpoint& before,
                                        const ListedCheckpoint& after);

}  // namespace capstan
