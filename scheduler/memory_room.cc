#include "scheduler/memory_room.h"

#include <algorithm>

namespace capstan {

namespace {

constexpr std::uint64_t kNoEnd = ~std::uint64_t{0};

}  // namespace

std::uint64_t fillable(std::uint64_t limit) {
  return limit - limit / 16;
}

MemoryRoom::MemoryRoom(const std::vector<ShardEntry>& entries, const std::map<NodeId, ServerMemory>& servers,
                       const Places& joined) {
  for (const auto& [id, memory] : servers) servers_[id] = {memory, 0, 0, memory.bytes, memory.bytes};
  const auto place = [&](NodeId id, bool learning) {
    const auto found = servers_.find(id);
    if (found != servers_.end()) ++(learning ? found->second.learning : found->second.places);
  };
  std::vector<std::pair<const ShardEntry*, NodeId>> perhaps;
  for (const ShardEntry& entry : entries) {
    for (const NodeId id : entry.chain) {
      const bool is_new = joined.contains({entry.shard, id});
      place(id, is_new);
      if (is_new) perhaps.emplace_back(&entry, id);
    }
    if (entry.learner == 0) continue;
    place(entry.learner, true);
    perhaps.emplace_back(&entry, entry.learner);
  }
  for (const auto& [entry, id] : perhaps) {
    if (const auto found = servers_.find(id); found != servers_.end())
      found->second.most += size_of(*entry).second;
  }
}

std::pair<std::uint64_t, std::uint64_t> MemoryRoom::size_of(const ShardEntry& entry) const {
  const auto primary = entry.chain.empty() ? servers_.end() : servers_.find(entry.chain.front());
  if (primary == servers_.end()) return {0, 0};
  const Server& server = primary->second;
  const std::uint64_t most_places = std::max<std::uint64_t>(server.places + server.learning, 1);
  const std::uint64_t least_places = std::max<std::uint64_t>(server.places, 1);
  return {server.memory.bytes / most_places, server.memory.bytes / least_places};
}

MemoryRoom::Fit MemoryRoom::fits(const ShardEntry& entry, NodeId id) const {
  const auto found = servers_.find(id);
  if (found == servers_.end() || found->second.memory.limit == 0) return Fit::kYes;
  const Server& server = found->second;
  const auto primary = entry.chain.empty() ? servers_.end() : servers_.find(entry.chain.front());
  if (!server.known() || (primary != servers_.end() && !primary->second.known())) return Fit::kUnknown;
  const auto [least, most] = size_of(entry);
  const std::uint64_t fills = fillable(server.memory.limit);
  if (server.most + most <= fills) return Fit::kYes;
  return server.least + least > fills ? Fit::kNo : Fit::kUnknown;
}

void MemoryRoom::promise(const ShardEntry& entry, NodeId id) {
  const auto found = servers_.find(id);
  if (found == servers_.end()) return;
  const auto [least, most] = size_of(entry);
  found->second.least += least;
  found->second.most += most;
}

std::pair<std::uint64_t, bool> MemoryRoom::room_of(const std::vector<NodeId>& ids) const {
  std::uint64_t room = 0;
  for (const NodeId id : ids) {
    const auto found = servers_.find(id);
    if (found == servers_.end() || !found->second.known()) return {0, false};
    if (found->second.memory.limit == 0) return {kNoEnd, true};
    const std::uint64_t fills = fillable(found->second.memory.limit);
    room += fills - std::min(fills, found->second.least);
  }
  return {room, true};
}

}  // namespace capstan
