// Where each shard's keys stand in a step's tables.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/train/step_program.h"

namespace capstan {

struct ShardRange {
  std::uint32_t shard = 0;
  std::uint32_t position = 0;  // index into the step's tables
  std::uint32_t begin = 0, count = 0;
};

// Sorted by (shard, position), without empty ranges. REQUIRES: the tables' keys are sorted for the wire.
std::vector<ShardRange> shard_ranges(std::span<const StepTable> tables, std::uint32_t num_shards);

// Bytes of a range's keys or of its rows, whichever are more.
std::uint64_t largest_frame(const ShardRange& range, std::span<const StepTable> tables,
                            std::span<const TableSpec> specs);

// The same keys in the same order, ranges cut so that none has a larger frame than `bytes_max`; one of a
// single key stays as it is.
std::vector<ShardRange> cut_to_frames(const std::vector<ShardRange>& ranges,
                                      std::span<const StepTable> tables, std::span<const TableSpec> specs,
                                      std::uint64_t bytes_max);

}  // namespace capstan
