// Job: which servers have memory for one more copy of a shard, or for what a drained one holds.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/units.h"
#include "scheduler/few_shards.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

// Then a server has counted the shards that it has learned.
constexpr std::chrono::seconds kCountsWithin{2};

}  // namespace

MemoryRoom Job::memory_room(const std::vector<ShardEntry>& entries) const {
  std::map<NodeId, ServerMemory> servers;
  for (const auto& [id, node] : context_.membership.nodes()) {
    if (node.role == Role::kServer) servers[id] = {node.memory_limit, node.bytes, node.map_version > 0};
  }
  MemoryRoom::Places joined;
  for (const auto& each : joined_) joined.insert(each.first);
  return {entries, servers, joined};
}

// Names who learns the shards that have too few copies. A copy that fits nowhere is not made: for want of
// memory its server would evict rows that have a copy.
void Job::name_learners(std::vector<ShardEntry>& wanted) {
  const ClusterConfig& cluster = options().config.cluster;
  const Duration counted = std::chrono::milliseconds(cluster.lease_ms) + kCountsWithin;
  std::erase_if(joined_, [&](const auto& each) { return context_.loop.now() - each.second >= counted; });
  const auto lacks = [&](const ShardEntry& entry) {
    return entry.learner == 0 && entry.chain.size() < cluster.replicas;
  };
  if (std::none_of(wanted.begin(), wanted.end(), lacks)) return no_room_.clear();
  std::vector<PlacementNode> staying = servers();
  std::erase_if(staying, [](const PlacementNode& node) { return node.leaving; });
  const MemoryRoom room = memory_room(wanted);
  Learners learners = with_learners(std::move(wanted), cluster.replicas, staying, room);
  wanted = std::move(learners.entries);
  std::set<std::uint32_t> no_room(learners.no_room.begin(), learners.no_room.end());
  for (const std::uint32_t shard : learners.undecided) {
    if (no_room_.contains(shard)) no_room.insert(shard);  // until it surely has some
  }
  std::swap(no_room, no_room_);
  const std::set<std::uint32_t>& before = no_room;
  if (!std::includes(before.begin(), before.end(), no_room_.begin(), no_room_.end())) tell_no_room(room);
}

void Job::tell_no_room(const MemoryRoom& room) {
  std::uint64_t bytes = 0;
  for (const std::uint32_t shard : no_room_) bytes += room.size_of(map_.entries()[shard]).first;
  warn(fmt::format(
      "{} shards have fewer than {} copies, and the servers' memory limits leave no room for another one "
      "(about {:.1f} MiB in all): they stay so, and nothing is evicted for copies. Add a server, or give "
      "servers more memory (cluster.memory_limit, --memory-limit), and the copies are made by themselves",
      no_room_.size(), options().config.cluster.replicas, in_mib(bytes)));
}

// Why the servers that stay cannot take in what those that leave hold; empty: they can, or nobody knows.
std::string Job::cannot_take_over(const std::vector<PlacementNode>& nodes) const {
  std::uint64_t leaves = 0, added = 0;
  std::vector<NodeId> stay;
  for (const PlacementNode& each : nodes) {
    const Node* node = context_.membership.find(each.id);
    if (node == nullptr && each.memory == 0) return "";
    if (node == nullptr) added += fillable(each.memory);
    if (node != nullptr && each.leaving) leaves += node->bytes;
    if (node != nullptr && !each.leaving) stay.push_back(each.id);
  }
  const auto [room, known] = memory_room(map_.entries()).room_of(stay);
  if (!known || leaves <= room || leaves - room <= added) return "";
  return fmt::format(
      "the servers that stay have room for {:.1f} MiB within their memory limits, less a sixteenth, and "
      "those "
      "that leave hold {:.1f} MiB: rows would be evicted, and what they had learned be lost. Add a server "
      "first, or give servers more memory (cluster.memory_limit, --memory-limit)",
      in_mib(room + added), in_mib(leaves));
}

// What a plan takes servers to have that are not here yet.
std::uint64_t Job::memory_of_new_server() const {
  const std::uint64_t limit = options().config.cluster.memory_limit;
  if (limit > 0) return limit;
  std::uint64_t sum = 0, known = 0;
  for (const PlacementNode& node : servers()) {
    sum += node.memory;
    known += node.memory > 0 ? 1 : 0;
  }
  return known == 0 ? 0 : sum / known;
}

std::string Job::note_of_new_servers(const std::vector<PlacementNode>& nodes) const {
  const auto is_new = [](const PlacementNode& node) { return node.id > Membership::kNodesMax; };
  const auto first = std::find_if(nodes.begin(), nodes.end(), is_new);
  if (first == nodes.end()) return "";
  const auto stay = static_cast<std::uint64_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const PlacementNode& node) { return !node.leaving; }));
  std::string note = few_shards_note(stay, map_.num_shards());
  if (first->memory == 0) return note;
  const bool told = options().config.cluster.memory_limit > 0;
  return fmt::format(
      "{}{}a new server is taken to have {:.1f} MiB for rows, {}: with another limit its share "
      "of the shards is another one",
      note, note.empty() ? "" : "; ", in_mib(first->memory),
      told ? "cluster.memory_limit" : "the mean of the others' memory limits");
}

}  // namespace capstan
