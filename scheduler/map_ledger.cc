#include "scheduler/map_ledger.h"

#include <algorithm>

#include "common/assert.h"
#include "common/planted_bugs.h"

namespace capstan {

std::vector<Chain> MapLedger::chains() const {
  std::vector<Chain> chains;
  chains.reserve(entries_.size());
  for (const ShardEntry& entry : entries_) chains.push_back(entry.chain);
  return chains;
}

std::vector<ShardEntry> MapLedger::changes(const std::vector<ShardEntry>& wanted, std::uint32_t generation,
                                           const std::set<std::uint32_t>& renewed) const {
  CAPSTAN_ASSERT(wanted.size() == num_shards_, "one entry a shard");
  const std::uint64_t next = std::max(version_, std::uint64_t{generation} << 32) + 1;
  std::vector<ShardEntry> changed;
  for (std::uint32_t shard = 0; shard < num_shards_; ++shard) {
    const ShardEntry& now = entries_[shard];
    const bool same = now.chain == wanted[shard].chain && now.learner == wanted[shard].learner;
    if (version_ != 0 && same && !renewed.contains(shard)) continue;
    changed.push_back({shard, next, wanted[shard].chain, wanted[shard].learner});
  }
  return changed;
}

void MapLedger::apply(const std::vector<ShardEntry>& changed) {
  for (const ShardEntry& entry : changed) {
    CAPSTAN_ASSERT(entry.epoch >= version_ && entry.shard < num_shards_, "map versions only rise");
    version_ = entry.epoch;
    entries_[entry.shard] = entry;
    log_.emplace_back(entry.epoch, entry.shard);
  }
  if (log_.size() <= std::size_t{4} * num_shards_) return;
  log_.clear();  // only a shard's last change is ever asked for
  for (const ShardEntry& entry : entries_) log_.emplace_back(entry.epoch, entry.shard);
  std::sort(log_.begin(), log_.end());
}

void MapLedger::set_address(NodeAddress address) {
  const NodeId id = address.node_id;
  addresses_[id] = std::move(address);
}

MapUpdate MapLedger::update_since(std::uint64_t known_version) const {
  MapUpdate update;
  update.version = version_;
  update.num_shards = num_shards_;
  if (known_version > version_) known_version = 0;
  std::set<std::uint32_t> shards;
  for (auto at = log_.rbegin(); at != log_.rend() && at->first > known_version; ++at)
    shards.insert(at->second);
  std::set<NodeId> named;
  for (const std::uint32_t shard : shards) {
    update.shards.push_back(entries_[shard]);
    if (CAPSTAN_PLANTED(kEpochsAreReused)) update.shards.back().epoch = 1;
    named.insert(entries_[shard].chain.begin(), entries_[shard].chain.end());
    named.insert(entries_[shard].learner);
  }
  for (const NodeId id : named) {
    const auto address = addresses_.find(id);
    if (address != addresses_.end()) update.nodes.push_back(address->second);
  }
  return update;
}

}  // namespace capstan
