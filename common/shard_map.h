// ShardMap: which servers own which shard, as one node knows it. A value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/message.h"
#include "common/result.h"

namespace capstan {

// A shard's epoch is the map version at which its chain last changed.
class ShardMap {
 public:
  std::uint64_t version() const { return version_; }
  std::uint32_t num_shards() const { return static_cast<std::uint32_t>(shards_.size()); }
  bool empty() const { return shards_.empty(); }

  // Takes in a full map or the difference to an older one. Older updates than version() change nothing.
  // kInvalid when the update contradicts itself (a shard out of range, another number of shards).
  Status apply(const MapUpdate& update);

  // All of it.
  MapUpdate as_update() const;

  // 0 when the shard has no owner. REQUIRES: shard < num_shards().
  NodeId primary(std::uint32_t shard) const;
  std::uint64_t epoch(std::uint32_t shard) const { return shards_[shard].epoch; }
  const std::vector<NodeId>& chain(std::uint32_t shard) const { return shards_[shard].chain; }
  NodeId learner(std::uint32_t shard) const { return shards_[shard].learner; }
  // nullptr for an unknown node.
  const NodeAddress* node(NodeId id) const;
  const std::map<NodeId, NodeAddress>& nodes() const { return nodes_; }

 private:
  std::uint64_t version_ = 0;
  std::vector<ShardEntry> shards_;
  std::map<NodeId, NodeAddress> nodes_;
};

}  // namespace capstan
