// How many counters the admission sketches of a job get: as many as its servers' memory allows. Decided once,
// by the scheduler, as all copies of a shard must count alike.
#pragma once

#include <cstdint>
#include <span>

#include "common/result.h"
#include "common/table_spec.h"

namespace capstan {

inline constexpr std::uint32_t kSketchDepth = 4;  // rows of 8-bit counters in a sketch
inline constexpr std::uint32_t kSketchWidthMin = 1U << 8;
inline constexpr std::uint32_t kSketchWidthMax = 1U << 20;
inline constexpr std::uint64_t kSketchShare = 4;  // the inverse of their share of the servers' memory

// Counters a row of a sketch, one sketch a table and shard, where memory is no matter: about 2^23 over a
// whole table.
std::uint32_t usual_sketch_width(std::uint32_t num_shards);

struct SketchRoom {
  std::uint64_t memory = 0;  // of all servers together, bytes; 0: no limit
  std::uint32_t num_shards = 1, replicas = 1;
};

// The widest that leaves all sketches of `tables` within kSketchShare of the memory, a power of two, at most
// the usual one; 0 without a table that has a min_count. kInvalid, with words for the user, when not even the
// narrowest sketches fit.
Result<std::uint32_t> sketch_width(std::span<const TableSpec> tables, const SketchRoom& room);

}  // namespace capstan
