// A server's counters as the JSON that travels in its heartbeat.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/table_spec.h"
#include "ps/hot_keys.h"
#include "ps/shard.h"

namespace capstan {

struct ServerStats {
  const ShardStats& shards;
  std::uint64_t map_version = 0;         // under which the shards were counted
  std::uint64_t over_memory_limit = 0;   // how often they took more, with all evicted that may be
  std::uint64_t copies_served = 0;       // slices of pulls answered as a backup
  std::uint64_t learner_backlog = 0;     // bytes of records that learners lack
  std::uint64_t lessons_begun_anew = 0;  // because a learner did not keep up
  std::string no_answer_from;            // servers' names
  std::string slowest_copy;              // whose confirmations are waited for longest; empty: nobody's
  std::uint64_t slowest_copy_ms = 0;
  const std::vector<HotKeys::Hot>& hot_keys;  // of the last seconds
  const std::vector<TableSpec>& tables;       // that they are of
  const std::map<std::string, std::uint64_t>& refused;
};

// {"pushes_applied": n, ..., "staleness": [n, ...], "refused": {"frame size": n}}
std::string to_json_text(const ServerStats& stats);

}  // namespace capstan
