// A server's counters as the JSON that travels in its heartbeat.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ps/shard.h"

namespace capstan {

// map_version: under which the shards were counted.
// {"pushes_applied": n, ..., "staleness": [n, ...], "refused": {"frame size": n}}
std::string stats_to_json(const ShardStats& stats, const std::map<std::string, std::uint64_t>& refused,
                          std::uint64_t map_version);

}  // namespace capstan
