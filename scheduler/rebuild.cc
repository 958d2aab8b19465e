#include "scheduler/rebuild.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/planted_bugs.h"
#include "common/text.h"
#include "scheduler/placement.h"

namespace capstan {

Status Rebuild::hear(const Hello& hello, const MapUpdate& map) {
  if (without_.contains(hello.name)) return ok_status();
  generation_ = std::max({generation_, hello.generation, static_cast<std::uint32_t>(map.version >> 32)});
  run_ = std::max(run_, hello.run);
  heard_[hello.name] = hello;
  if (map.shards.empty()) {
    empty_.insert(hello.name);
    return ok_status();
  }
  empty_.erase(hello.name);
  sketch_width_ = std::max(sketch_width_, map.sketch_width);
  if (map.num_shards != num_shards_) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{} holds a job of {} shards, cluster.num_shards is {}", hello.name,
                                  map.num_shards, num_shards_));
  }
  entries_.resize(num_shards_);
  for (const ShardEntry& entry : map.shards) {
    if (entry.shard >= num_shards_) continue;
    ShardEntry& newest = entries_[entry.shard];
    if (newest.chain.empty() || entry.epoch > newest.epoch) newest = entry;
  }
  for (const NodeAddress& node : map.nodes) {
    if (map.version >= names_version_ || !names_.contains(node.node_id)) names_[node.node_id] = node.name;
  }
  names_version_ = std::max(names_version_, map.version);
  return ok_status();
}

std::string Rebuild::name_of(NodeId id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? fmt::format("server {}", id) : found->second;
}

std::map<std::string, std::uint32_t> Rebuild::missing() const {
  std::map<std::string, std::uint32_t> missing;
  for (const ShardEntry& entry : entries_) {
    std::set<NodeId> needed(entry.chain.begin(), entry.chain.end());
    if (entry.learner != 0) needed.insert(entry.learner);
    for (const NodeId id : needed) {
      const std::string name = name_of(id);
      if (!heard_.contains(name) && !without_.contains(name)) ++missing[name];
    }
  }
  return missing;
}

std::string Rebuild::waits_for() const {
  std::vector<std::string> here, away;
  for (const auto& [name, hello] : heard_) here.push_back(name);
  for (const auto& [name, shards] : missing()) away.push_back(fmt::format("{} ({} shards)", name, shards));
  const std::string heard = here.empty() ? "nobody yet" : join(here, ", ");
  if (away.empty()) return fmt::format("rebuilding without a journal: heard {}", heard);
  return fmt::format(
      "rebuilding without a journal: heard {}; waiting for {}. Whoever is gone for good can be given up with "
      "--rebuild --without NAME: what it alone was told is lost then",
      heard, join(away, ", "));
}

Result<Rebuild::Found> Rebuild::found() const {
  Found found{false, generation_, run_, sketch_width_, {}, {}, {}, entries_};
  std::map<std::string, NodeId> numbers;  // a name's newest
  for (const auto& [id, name] : names_) numbers[name] = id;
  std::set<NodeId> gone;
  for (const auto& [id, name] : names_) {
    const auto heard = heard_.find(name);
    const bool holds_rows = heard != heard_.end() && !empty_.contains(name) && numbers[name] == id;
    if (!holds_rows) gone.insert(id);
    if (numbers[name] != id) continue;
    const Hello hello = heard == heard_.end() ? Hello() : heard->second;
    auto& servers = holds_rows ? found.servers : found.others;
    servers.push_back({id, Role::kServer, name, hello.endpoint, hello.host, hello.zone, hello.incarnation,
                       hello.memory_limit});
  }
  for (const NodeId id : gone) {
    for (const ShardEntry& entry : found.entries) {
      found.loses_members = found.loses_members || entry.learner == id || holds(entry.chain, id);
    }
    found.entries = without_node(std::move(found.entries), id);
  }
  found.newest = CAPSTAN_PLANTED(kLeftUnderOldEpochs) ? found.entries : entries_;
  std::sort(found.newest.begin(), found.newest.end(),
            [](const ShardEntry& a, const ShardEntry& b) { return a.epoch < b.epoch; });
  for (const ShardEntry& entry : found.entries) {
    if (!entry.chain.empty()) continue;
    return make_error(
        ErrorCode::kUnavailable,
        fmt::format("shard {} has no member left that holds its rows: they are gone. Go on from the "
                    "last checkpoint with --resume and new servers",
                    entry.shard));
  }
  return found;
}

}  // namespace capstan
