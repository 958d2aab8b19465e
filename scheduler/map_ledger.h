// MapLedger: the chains of all shards with their epochs, and what changed since when.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/message.h"
#include "scheduler/placement.h"

namespace capstan {

// Versions are generation << 32 | n and only rise. A shard's epoch is the version that last changed its
// chain.
class MapLedger {
 public:
  MapLedger() = default;
  explicit MapLedger(std::uint32_t num_shards) : num_shards_(num_shards), entries_(num_shards) {}

  bool empty() const { return version_ == 0; }
  std::uint64_t version() const { return version_; }
  std::uint32_t num_shards() const { return num_shards_; }
  const std::vector<ShardEntry>& entries() const { return entries_; }
  std::vector<Chain> chains() const;

  // The entries whose chain or learner differs from `wanted`, and those of the shards `renewed`, with the
  // epochs that they would get. Empty: nothing to do. REQUIRES: one entry a shard, in their order.
  std::vector<ShardEntry> changes(const std::vector<ShardEntry>& wanted, std::uint32_t generation,
                                  const std::set<std::uint32_t>& renewed = {}) const;
  // Takes over journaled entries. REQUIRES: epochs at or above version().
  void apply(const std::vector<ShardEntry>& changed);
  void set_address(NodeAddress address);  // before the version that first names the node

  // What a holder of `known_version` lacks; everything when it knows nothing or more than we do. O(changes
  // since).
  MapUpdate update_since(std::uint64_t known_version) const;

 private:
  std::uint32_t num_shards_ = 0;
  std::uint64_t version_ = 0;
  std::vector<ShardEntry> entries_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> log_;  // (version, shard), ascending by version
  std::map<NodeId, NodeAddress> addresses_;
};

}  // namespace capstan
