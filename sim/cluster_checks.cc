// SimCluster: what must hold of a replicated cluster, looked at from outside.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "scheduler/placement.h"
#include "sim/cluster.h"

namespace capstan {
namespace {

const HeldShard* find(const std::vector<HeldShard>& held, std::uint32_t shard) {
  const auto found =
      std::find_if(held.begin(), held.end(), [&](const HeldShard& each) { return each.shard == shard; });
  return found == held.end() ? nullptr : &*found;
}

}  // namespace

std::shared_ptr<const Server> SimCluster::server_process(const SimNode& node) const {
  const auto found = server_processes_.find(&node);
  return found == server_processes_.end() ? nullptr : found->second.lock();
}

bool SimCluster::keeps_all_rows(const SimNode* without) const {
  const auto process = scheduler_process();
  if (process == nullptr || process->job().map().empty()) return false;
  // The one that stays must have been heard of late, or the scheduler may drop it for the one that dies.
  const Instant soon =
      scheduler_->loop().now() +
      (without == nullptr ? Duration(0) : std::chrono::milliseconds(config().cluster.lease_ms) / 2);
  std::map<NodeId, bool> has_rows;                 // its rows, as far as the scheduler knows
  std::map<NodeId, std::set<std::uint32_t>> goes;  // shards that it leads no more, and may soon not hold
  NodeId self = 0;
  for (const SimNode* node : servers_) {
    const Node* known = process->membership().find(bare_name(*node));
    if (known == nullptr) continue;
    if (node == without) self = known->id;
    if (const auto its = server_process(*node); its != nullptr) {
      for (const HeldShard& held : its->held_shards()) {
        if (held.handed_over) goes[known->id].insert(held.shard);
      }
    }
    const bool heard = without == nullptr || (known->peer != 0 && known->lease_end >= soon);
    has_rows[known->id] =
        heard && world_.up(*node) && known->incarnation == incarnations_.at(node) && node != without;
  }
  const auto& entries = process->job().map().entries();
  return std::all_of(entries.begin(), entries.end(), [&](const ShardEntry& entry) {
    const bool touched = without == nullptr || holds(entry.chain, self);
    return !touched || std::any_of(entry.chain.begin(), entry.chain.end(), [&](NodeId id) {
      return has_rows[id] && !goes[id].contains(entry.shard);
    });
  });
}

std::string SimCluster::check_replicas() const {
  const auto process = scheduler_process();
  if (process == nullptr) return "the scheduler is down";
  std::map<NodeId, std::vector<HeldShard>> held;
  for (const SimNode* node : servers_) {
    const Node* known = process->membership().find(bare_name(*node));
    const auto server = server_process(*node);
    if (known != nullptr && server != nullptr) held[known->id] = server->held_shards();
  }
  for (const ShardEntry& entry : process->job().map().entries()) {
    const HeldShard* first = find(held[entry.chain.front()], entry.shard);
    if (first == nullptr) return fmt::format("shard {}: its primary has no rows", entry.shard);
    const Buffer expected = first->rows->save_all(Shard::RowOrder::kByKey);
    for (const NodeId id : entry.chain) {
      const HeldShard* member = find(held[id], entry.shard);
      if (member == nullptr) return fmt::format("shard {}: member {} has no rows", entry.shard, id);
      if (member->applied != first->applied) {
        return fmt::format("shard {}: {} records here, {} at member {}", entry.shard, first->applied,
                           member->applied, id);
      }
      const Buffer bytes = member->rows->save_all(Shard::RowOrder::kByKey);
      if (bytes.text() != expected.text()) {
        return fmt::format("shard {}: member {} holds other bytes", entry.shard, id);
      }
    }
  }
  return "";
}

bool SimCluster::run_until_ended(Duration limit) {
  constexpr std::uint64_t kEventsBetween = 50;
  const auto look = [this] {
    if (++looked_ % kEventsBetween == 0) {
      if (const std::string two = check_owners(); !two.empty()) findings_->report(two);
    }
    return ended();
  };
  return ended() || (limit > Duration(0) && world_.run_until(look, limit));
}

std::string SimCluster::check_owners() const {
  std::map<std::uint32_t, std::pair<const SimNode*, std::uint64_t>> owners;
  for (const SimNode* node : servers_) {
    const auto server = server_process(*node);
    if (server == nullptr || !world_.up(*node) || world_.paused(*node)) continue;
    for (const HeldShard& held : server->held_shards()) {
      if (!held.serves) continue;
      const auto [other, first] = owners.emplace(held.shard, std::pair(node, held.epoch));
      if (first) continue;
      const auto [owner, epoch] = other->second;
      return fmt::format("shard {} has two owners: {} in epoch {}.{} and {} in {}.{}", held.shard,
                         owner->name(), epoch >> 32, epoch & 0xffffffff, node->name(), held.epoch >> 32,
                         held.epoch & 0xffffffff);
    }
  }
  return "";
}

}  // namespace capstan
