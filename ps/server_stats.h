// A server's counters as the JSON that travels in its heartbeat.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ps/shard.h"

namespace capstan {

// map_version: under which the shards were counted. over_memory_limit: how often they were found to take more
// than the server's limit, all evicted that may be. no_answer_from: servers' names.
// {"pushes_applied": n, ..., "staleness": [n, ...], "refused": {"frame size": n}}
std::string stats_to_json(const ShardStats& stats, const std::map<std::string, std::uint64_t>& refused,
                          std::uint64_t map_version, std::uint64_t over_memory_limit,
                          const std::string& no_answer_from);

}  // namespace capstan
