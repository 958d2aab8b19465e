// Job: what it waits for, in words.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/text.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

// Named as `capstan run` names its nodes: "ps-0".
bool has_run_name(const Node& node, std::string_view stem) {
  const std::string_view name = node.name;
  return name.starts_with(stem) && name.substr(stem.size()).starts_with('-') &&
         parse_uint(name.substr(stem.size() + 1)).has_value();
}

// "2 of 3 servers registered, waiting for ps-2"; "for 1 more" when the nodes that are here have other names
// than `capstan run` gives.
std::string missing_nodes(const Membership& nodes, Role role, std::uint32_t wanted,
                          const std::set<NodeId>& draining = {}) {
  const auto alive = nodes.alive(role);
  if (alive.size() >= wanted) return "";
  const std::string_view stem = role == Role::kServer ? "ps" : "worker";
  std::vector<std::string> names;
  bool run_names = true;
  for (const auto& [id, node] : nodes.nodes()) {
    if (node.role != role) continue;
    if (!node.alive && !draining.contains(id)) names.push_back(node.name);
    run_names = run_names && has_run_name(node, stem);
  }
  const std::size_t known = names.size() + alive.size();
  if (!run_names && known < wanted) names.push_back(fmt::format("{} more", wanted - known));
  for (std::uint32_t n = 0; run_names && n < wanted && names.size() + alive.size() < wanted; ++n) {
    const std::string name = fmt::format("{}-{}", stem, n);
    if (nodes.find(name) == nullptr) names.push_back(name);
  }
  constexpr std::size_t kNamedMax = 10;
  if (names.size() > kNamedMax) {
    const std::size_t more = names.size() - kNamedMax;
    names.resize(kNamedMax);
    names.push_back(fmt::format("{} more", more));
  }
  return fmt::format("{} of {} {} registered, waiting for {}", alive.size(), wanted,
                     role == Role::kServer ? "servers" : "workers", join(names, ", "));
}

// What a server was asked for and has not done yet.
std::string_view errand_words(const Message& request) {
  if (std::holds_alternative<DeclareTables>(request)) return "to set up its tables";
  if (std::holds_alternative<Restore>(request)) return "to restore its rows";
  return std::holds_alternative<Snapshot>(request) ? "to write its part of a checkpoint" : "to answer";
}

}  // namespace

std::string Job::waits_for() const {
  if (ended_) return fmt::format("the job has ended: {}", facts_.end_text);
  if (rebuild_.has_value()) return rebuild_->waits_for();
  const ClusterConfig& cluster = options().config.cluster;
  const Membership& nodes = context_.membership;
  std::vector<std::string> words;
  const auto add = [&](std::string text) {
    if (!text.empty()) words.push_back(std::move(text));
  };
  const auto drained = static_cast<std::uint32_t>(draining_.size());
  const std::uint32_t servers = cluster.servers - std::min(cluster.servers, drained);
  if (facts_.state != JobState::kRunning) {
    add(missing_nodes(nodes, Role::kServer, servers, draining_));
  } else if (nodes.count_alive(Role::kServer) < servers) {
    for (const auto& [id, node] : nodes.nodes()) {
      const bool lost = node.role == Role::kServer && !node.alive && !draining_.contains(id);
      if (lost) add("waiting for " + node.name);
    }
  }
  if (!facts_.agreed.has_value()) {
    add(missing_nodes(nodes, Role::kWorker, cluster.workers));
    std::vector<std::string> preparing;
    for (const NodeId id : nodes.alive(Role::kWorker)) {
      const Node* node = nodes.find(id);
      if (!is_ready(*node)) preparing.push_back(node->name);
    }
    if (!preparing.empty()) add(fmt::format("{} preparing data", join(preparing, ", ")));
  } else if (nodes.count_alive(Role::kWorker) == 0 && !is_direct()) {
    add("no worker is alive");
  }
  if (!errands_.idle()) {
    std::map<std::string_view, std::vector<std::string>> by_errand;
    for (const auto& [id, errand] : errands_.open()) {
      const Node* node = nodes.find(id);
      by_errand[errand_words(errand.request)].push_back(node == nullptr ? "?" : node->name);
    }
    for (const auto& [what, names] : by_errand)
      add(fmt::format("waiting for {} {}", join(names, ", "), what));
  }
  if (words.empty() && facts_.state == JobState::kRunning) {
    const std::uint32_t pass = facts_.pass + 1;
    const std::size_t clients = direct_.streams().size();
    add(is_direct() ? fmt::format("open to programs, {} of them here", clients)
                    : fmt::format("training pass {} of {}", pass, options().config.train.passes));
  }
  if (words.empty()) add(std::string(to_string(facts_.state)));
  return join(words, "; ");
}

}  // namespace capstan
