// Placement: which servers hold which shards. Pure functions of the servers and of the chains as they are.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/message.h"
#include "scheduler/memory_room.h"

namespace capstan {

using Chain = std::vector<NodeId>;  // primary first

// Whether `id` is one of its members.
bool holds(const Chain& chain, NodeId id);

struct PlacementNode {
  NodeId id = 0;
  std::uint64_t memory = 0;  // bytes for rows; 0 for any node: all count the same
  std::string host;
  bool leaving = false;  // it shall hold nothing
  std::string zone{};    // those that nobody gave one are in one together
};

// What two servers would fail of together: nothing 0, their zone 1, their host far more than any number of
// zones.
std::size_t nearness(const PlacementNode& a, const PlacementNode& b);

// How many of `num_shards` each node should be primary of: in proportion to memory, by largest remainders, a
// tie going to the node that holds more now. Parallel to `nodes`; the sum is num_shards. REQUIRES: nodes is
// not empty.
std::vector<std::uint32_t> shard_quotas(std::uint32_t num_shards, const std::vector<PlacementNode>& nodes,
                                        const std::vector<Chain>& current);

// Chains of min(replicas, nodes) members for every shard. Primaries meet the quotas, and as few of `current`
// (empty, or one chain a shard) move as the quotas allow; backups stay where they can, else go to another
// zone, or host, with room. Nodes of `current` that are not in `nodes` are gone. REQUIRES: nodes is not empty
// and ascends by id.
std::vector<Chain> place(std::uint32_t num_shards, std::uint32_t replicas,
                         const std::vector<PlacementNode>& nodes, const std::vector<Chain>& current);

// A lost server leaves its chains; the first member that remains is the new primary. A chain may become
// empty. It learns nothing any more.
std::vector<ShardEntry> without_node(std::vector<ShardEntry> entries, NodeId lost);

// Members that are not `alive` leave their chains where another one was `heard` (a part of those alive);
// other chains stay as they are. Learners that are not alive are let go.
std::vector<ShardEntry> without_silent(std::vector<ShardEntry> entries, const std::set<NodeId>& alive,
                                       const std::set<NodeId>& heard);

// Names a learner for each chain of fewer than `replicas` members that has none: of the nodes outside it, the
// one farthest from it (zone, then host), then the one in the fewest chains, then the lowest id; none that
// has no memory for it. REQUIRES: nodes ascends by id.
struct Learners {
  std::vector<ShardEntry> entries;
  std::vector<std::uint32_t> no_room;    // shards that surely fit on none of the nodes outside their chain
  std::vector<std::uint32_t> undecided;  // that may fit on one, or not
};
Learners with_learners(std::vector<ShardEntry> entries, std::uint32_t replicas,
                       const std::vector<PlacementNode>& nodes, MemoryRoom room);

}  // namespace capstan
