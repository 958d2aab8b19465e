#include "common/shard_map.h"

#include <bit>

namespace capstan {

Status ShardMap::apply(const MapUpdate& update) {
  if (update.version <= version_) return ok_status();
  if (!std::has_single_bit(update.num_shards) || update.num_shards > (1U << 20)) {
    return make_error(ErrorCode::kInvalid, "number of shards is not a power of two");
  }
  if (!shards_.empty() && update.num_shards != num_shards()) {
    return make_error(ErrorCode::kInvalid, "the number of shards changed");
  }
  for (const auto& entry : update.shards) {
    if (entry.shard >= update.num_shards) return make_error(ErrorCode::kInvalid, "shard out of range");
  }
  shards_.resize(update.num_shards);
  for (const auto& entry : update.shards) shards_[entry.shard] = entry;
  for (const auto& address : update.nodes) nodes_[address.node_id] = address;
  version_ = update.version;
  return ok_status();
}

MapUpdate ShardMap::as_update() const {
  MapUpdate update;
  update.version = version_;
  update.num_shards = num_shards();
  update.shards = shards_;
  for (const auto& [id, address] : nodes_) update.nodes.push_back(address);
  return update;
}

NodeId ShardMap::primary(std::uint32_t shard) const {
  const auto& chain = shards_[shard].chain;
  return chain.empty() ? 0 : chain.front();
}

const NodeAddress* ShardMap::node(NodeId id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

}  // namespace capstan
