#include "scheduler/membership.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/plain_name.h"
#include "common/planted_bugs.h"

namespace capstan {

namespace {

constexpr std::size_t kFormerMax = 16;  // replaced processes remembered a name

}  // namespace

Greeting Membership::greet(const Hello& hello, PeerId peer, Instant now) {
  using Outcome = Greeting::Outcome;
  std::string name = hello.name;
  if (name.empty()) {
    for (const auto& [id, node] : nodes_) {
      if (node.role == hello.role && node.incarnation == hello.incarnation) name = node.name;
    }
    if (name.empty()) name = free_name(hello.role);
  }
  if (!is_plain_name(name)) {
    return {Outcome::kRefused, 0, "a node's name " + plain_name_rule(name)};
  }
  const auto known = by_name_.find(name);
  Outcome outcome = Outcome::kNew;
  if (known == by_name_.end() && nodes_.size() >= kNodesMax) {
    return {Outcome::kRefused, 0, fmt::format("there are {} nodes already", nodes_.size())};
  }
  const NodeId id = known == by_name_.end() ? last_id_ + 1 : known->second;
  if (known != by_name_.end()) {
    const Node& node = nodes_.at(id);
    auto& former = former_[id];
    if (node.role != hello.role) {
      return {Outcome::kRefused, id,
              fmt::format("{} is a {}, not a {}", name, to_string(node.role), to_string(hello.role))};
    }
    if (std::find(former.begin(), former.end(), hello.incarnation) != former.end()) {
      return {Outcome::kRefused, id, fmt::format("another process has taken over the name {}", name)};
    }
    if (node.incarnation == hello.incarnation) {
      outcome = Outcome::kAgain;
    } else if (node.alive) {
      return {Outcome::kRefused, id, fmt::format("the name {} is held by a living process", name)};
    } else {
      outcome = Outcome::kReplaced;
      former.push_back(node.incarnation);
      if (former.size() > kFormerMax) former.erase(former.begin());
    }
  }
  Node& node = nodes_[id];
  if (outcome == Outcome::kNew) {
    last_id_ = id;
    by_name_[name] = id;
  }
  if (outcome != Outcome::kAgain) {
    node.map_version = node.rows = node.bytes = node.clock = 0;
    node.stats_json.clear();
  }
  node.id = id;
  node.role = hello.role;
  node.name = name;
  node.endpoint = hello.endpoint;
  node.host = hello.host;
  node.zone = hello.zone;
  node.incarnation = hello.incarnation;
  node.memory_limit = hello.memory_limit;
  node.peer = peer;
  renew(node, now + lease_);
  return {outcome, id, ""};
}

void Membership::recover(Node node, Instant now) {
  last_id_ = std::max(last_id_, node.id);
  by_name_[node.name] = node.id;
  Node& stored = nodes_[node.id];
  if (stored.alive) {
    lease_ends_.erase({stored.lease_end, stored.id});
    set_alive(stored, false);
  }
  if (stored.id != 0 && stored.incarnation != node.incarnation)
    former_[node.id].push_back(stored.incarnation);
  stored = std::move(node);
  stored.alive = false;
  stored.peer = 0;
  if (stored.incarnation == 0) return;  // only its name and number are known: whoever greets has them
  renew(stored, now + (CAPSTAN_PLANTED(kMovesInFirstLease) ? lease_ / 2 : first_term_));
}

bool Membership::heartbeat(const Heartbeat& heartbeat, Instant now) {
  const auto found = nodes_.find(heartbeat.node_id);
  if (found == nodes_.end() || found->second.incarnation != heartbeat.incarnation) return false;
  if (!found->second.alive) return false;
  Node& node = found->second;
  node.map_version = heartbeat.map_version;
  node.rows = heartbeat.rows;
  node.bytes = heartbeat.bytes;
  node.clock = heartbeat.clock;
  if (!heartbeat.stats_json.empty()) node.stats_json = heartbeat.stats_json;
  renew(node, now + lease_);
  return true;
}

void Membership::spare(Instant now) {
  for (auto& [id, node] : nodes_) {
    if (node.alive) renew(node, std::max(node.lease_end, now + lease_));
  }
}

void Membership::leave(NodeId id) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end() || !found->second.alive) return;
  lease_ends_.erase({found->second.lease_end, id});
  set_alive(found->second, false);
}

void Membership::drop_stats(NodeId id) {
  const auto found = nodes_.find(id);
  if (found != nodes_.end()) found->second.stats_json.clear();
}

void Membership::take_stats(NodeId id, std::string stats_json, std::uint64_t rows, std::uint64_t bytes) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end() || stats_json.empty()) return;
  found->second.stats_json = std::move(stats_json);
  found->second.rows = rows;
  found->second.bytes = bytes;
}

std::vector<NodeId> Membership::expire(Instant now) {
  std::vector<NodeId> ended;
  while (!lease_ends_.empty() && lease_ends_.begin()->first <= now) {
    const NodeId id = lease_ends_.begin()->second;
    lease_ends_.erase(lease_ends_.begin());
    set_alive(nodes_.at(id), false);
    ended.push_back(id);
  }
  std::sort(ended.begin(), ended.end());
  return ended;
}

const Node* Membership::find(NodeId id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

const Node* Membership::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : find(found->second);
}

std::vector<NodeId> Membership::alive(Role role) const {
  std::vector<NodeId> ids;
  for (const auto& [id, node] : nodes_) {
    if (node.role == role && node.alive) ids.push_back(id);
  }
  return ids;
}

std::string Membership::free_name(Role role) const {
  const std::string_view stem = role == Role::kServer ? "ps" : "worker";
  std::size_t n = 0;
  while (by_name_.contains(fmt::format("{}-{}", stem, n))) ++n;
  return fmt::format("{}-{}", stem, n);
}

void Membership::renew(Node& node, Instant until) {
  if (node.alive) lease_ends_.erase({node.lease_end, node.id});
  node.lease_end = until;
  lease_ends_.insert({node.lease_end, node.id});
  set_alive(node, true);
}

void Membership::set_alive(Node& node, bool alive) {
  if (node.alive == alive) return;
  node.alive = alive;
  std::size_t& count = node.role == Role::kServer ? servers_alive_ : workers_alive_;
  if (alive) {
    ++count;
  } else {
    --count;
  }
}

}  // namespace capstan
