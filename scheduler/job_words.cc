// Job: what it waits for, in words.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/text.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

// "2 of 3 servers registered, waiting for ps-2". Nodes that nobody has named yet are called as `capstan run`
// would.
std::string missing_nodes(const Membership& nodes, Role role, std::uint32_t wanted,
                          const std::set<NodeId>& draining = {}) {
  const auto alive = nodes.alive(role);
  if (alive.size() >= wanted) return "";
  const std::string_view stem = role == Role::kServer ? "ps" : "worker";
  std::vector<std::string> names;
  for (const auto& [id, node] : nodes.nodes()) {
    if (node.role == role && !node.alive && !draining.contains(id)) names.push_back(node.name);
  }
  for (std::uint32_t n = 0; n < wanted && names.size() + alive.size() < wanted; ++n) {
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
  const ClusterConfig& cluster = options().config.cluster;
  const Membership& nodes = context_.membership;
  std::vector<std::string> words;
  const auto add = [&](std::string text) {
    if (!text.empty()) words.push_back(std::move(text));
  };
  const auto drained = static_cast<std::uint32_t>(draining_.size());
  add(missing_nodes(nodes, Role::kServer, cluster.servers - std::min(cluster.servers, drained), draining_));
  if (!facts_.agreed.has_value()) {
    add(missing_nodes(nodes, Role::kWorker, cluster.workers));
    std::vector<std::string> preparing;
    for (const NodeId id : nodes.alive(Role::kWorker)) {
      const Node* node = nodes.find(id);
      if (!is_ready(*node)) preparing.push_back(node->name);
    }
    if (!preparing.empty()) add(fmt::format("{} preparing data", join(preparing, ", ")));
  } else if (nodes.count_alive(Role::kWorker) == 0) {
    add("no worker is alive");
  }
  if (!errands_.idle()) {
    std::map<std::string_view, std::vector<std::string>> servers;
    for (const auto& [id, errand] : errands_.open()) {
      const Node* node = nodes.find(id);
      servers[errand_words(errand.request)].push_back(node == nullptr ? "?" : node->name);
    }
    for (const auto& [what, names] : servers) add(fmt::format("waiting for {} {}", join(names, ", "), what));
  }
  if (words.empty() && facts_.state == JobState::kRunning) {
    add(fmt::format("training pass {} of {}", facts_.pass + 1, options().config.train.passes));
  }
  if (words.empty()) add(std::string(to_string(facts_.state)));
  return join(words, "; ");
}

}  // namespace capstan
