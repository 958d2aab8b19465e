#include "scheduler/placement.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "common/assert.h"
#include "common/planted_bugs.h"

namespace capstan {

namespace {

using Index = std::map<NodeId, std::size_t>;

Index index_by_id(const std::vector<PlacementNode>& nodes) {
  Index index;
  for (std::size_t n = 0; n < nodes.size(); ++n) index[nodes[n].id] = n;
  return index;
}

// Adds one backup to `chain`, of those that may be one: the farthest first, then the node with the most room,
// then the lowest id.
template <typename May>
void add_backup(Chain& chain, const std::vector<PlacementNode>& nodes, const Index& index,
                std::vector<double>& room, const May& may) {
  const auto nearness_of = [&](const PlacementNode& node) {
    std::size_t sum = 0;
    for (const NodeId id : chain) {
      const auto found = index.find(id);
      sum += found == index.end() ? 0 : nearness(nodes[found->second], node);
    }
    return sum;
  };
  std::size_t best = nodes.size(), best_nearness = 0;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (holds(chain, nodes[n].id)) continue;
    const std::size_t near = nearness_of(nodes[n]);
    const bool better =
        best == nodes.size() || near < best_nearness || (near == best_nearness && room[n] > room[best]);
    if (!better || !may(nodes[n].id)) continue;
    best = n;
    best_nearness = near;
  }
  if (best == nodes.size()) return;
  chain.push_back(nodes[best].id);
  room[best] -= 1.0;
}

// Gives every shard its primary, within the quotas.
std::vector<Chain> place_primaries(std::uint32_t num_shards, const std::vector<PlacementNode>& nodes,
                                   const Index& index, std::vector<std::uint32_t> left,
                                   const std::vector<Chain>& current) {
  std::vector<Chain> chains(num_shards);
  std::vector<std::uint32_t> homeless;
  for (std::uint32_t shard = 0; shard < num_shards; ++shard) {
    const NodeId holder = current.empty() || current[shard].empty() ? 0 : current[shard].front();
    const auto found = index.find(holder);
    if (found != index.end() && left[found->second] > 0) {
      --left[found->second];
      chains[shard] = {holder};
    } else {
      homeless.push_back(shard);
    }
  }
  std::size_t next = 0;  // round robin over the nodes with room, so that neighbouring shards are spread
  for (const std::uint32_t shard : homeless) {
    while (left[next] == 0) next = (next + 1) % nodes.size();
    --left[next];
    chains[shard] = {nodes[next].id};
    next = (next + 1) % nodes.size();
  }
  return chains;
}

}  // namespace

std::size_t nearness(const PlacementNode& a, const PlacementNode& b) {
  constexpr std::size_t kHost = 1000;
  return (a.zone == b.zone ? 1 : 0) + (a.host == b.host ? kHost : 0);
}

bool holds(const Chain& chain, NodeId id) {
  return std::find(chain.begin(), chain.end(), id) != chain.end();
}

std::vector<std::uint32_t> shard_quotas(std::uint32_t num_shards, const std::vector<PlacementNode>& nodes,
                                        const std::vector<Chain>& current) {
  CAPSTAN_ASSERT(!nodes.empty(), "shards need a server");
  const bool equal =
      std::any_of(nodes.begin(), nodes.end(), [](const PlacementNode& node) { return node.memory == 0; });
  const auto weight = [&](std::size_t n) { return equal ? 1.0 : static_cast<double>(nodes[n].memory); };
  double total = 0.0;
  for (std::size_t n = 0; n < nodes.size(); ++n) total += weight(n);

  const Index index = index_by_id(nodes);
  std::vector<std::uint32_t> held(nodes.size(), 0);
  for (const Chain& chain : current) {
    const auto found = chain.empty() ? index.end() : index.find(chain.front());
    if (found != index.end()) ++held[found->second];
  }
  std::vector<std::uint32_t> quotas(nodes.size());
  std::vector<std::int64_t> remainder(nodes.size());  // in millionths, so that equal shares compare equal
  std::uint32_t given = 0;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const double share = num_shards * (weight(n) / total) + 1e-9;
    quotas[n] = static_cast<std::uint32_t>(share);
    remainder[n] = static_cast<std::int64_t>((share - quotas[n]) * 1e6);
    given += quotas[n];
  }
  std::vector<std::size_t> order(nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return remainder[a] != remainder[b] ? remainder[a] > remainder[b] : held[a] > held[b];
  });
  for (std::size_t n = 0; given < num_shards; n = (n + 1) % order.size(), ++given) ++quotas[order[n]];
  return quotas;
}

std::vector<Chain> place(std::uint32_t num_shards, std::uint32_t replicas,
                         const std::vector<PlacementNode>& nodes, const std::vector<Chain>& current) {
  const Index index = index_by_id(nodes);
  const std::vector<std::uint32_t> quotas = shard_quotas(num_shards, nodes, current);
  std::vector<Chain> chains = place_primaries(num_shards, nodes, index, quotas, current);
  const std::size_t length = std::min<std::size_t>(std::max(replicas, 1U), nodes.size());
  std::vector<double> room(nodes.size());
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    room[n] = static_cast<double>(quotas[n]) * static_cast<double>(length - 1);
  }
  for (std::uint32_t shard = 0; shard < num_shards && !current.empty(); ++shard) {
    for (const NodeId id : current[shard]) {
      const auto found = index.find(id);
      if (chains[shard].size() >= length || found == index.end() || id == chains[shard].front()) continue;
      if (room[found->second] < 1.0) continue;
      room[found->second] -= 1.0;
      chains[shard].push_back(id);
    }
  }
  for (Chain& chain : chains) {
    while (chain.size() < length) add_backup(chain, nodes, index, room, [](NodeId) { return true; });
  }
  return chains;
}

std::vector<ShardEntry> without_node(std::vector<ShardEntry> entries, NodeId lost) {
  for (ShardEntry& entry : entries) {
    std::erase(entry.chain, lost);
    if (entry.learner == lost) entry.learner = 0;
  }
  return entries;
}

std::vector<ShardEntry> without_silent(std::vector<ShardEntry> entries, const std::set<NodeId>& alive,
                                       const std::set<NodeId>& heard) {
  for (ShardEntry& entry : entries) {
    const auto lives = [&](NodeId id) { return alive.contains(id); };
    if (entry.learner != 0 && !lives(entry.learner)) entry.learner = 0;
    const auto speaks = [&](NodeId id) { return heard.contains(id); };
    if (std::none_of(entry.chain.begin(), entry.chain.end(), speaks)) {
      const bool promotes = CAPSTAN_PLANTED(kPromotesLearners) && entry.learner != 0;
      if (promotes) entry.chain = {std::exchange(entry.learner, 0)};
      continue;
    }
    std::erase_if(entry.chain, [&](NodeId id) { return !lives(id); });
  }
  return entries;
}

Learners with_learners(std::vector<ShardEntry> entries, std::uint32_t replicas,
                       const std::vector<PlacementNode>& nodes, MemoryRoom room) {
  const Index index = index_by_id(nodes);
  std::vector<double> places(nodes.size(), 0.0);
  const auto take_place = [&](NodeId id) {
    if (const auto found = index.find(id); found != index.end()) places[found->second] -= 1.0;
  };
  for (const ShardEntry& entry : entries) {
    for (const NodeId id : entry.chain) take_place(id);
    take_place(entry.learner);
  }
  Learners learners;
  for (ShardEntry& entry : entries) {
    if (entry.learner != 0 || entry.chain.size() >= replicas) continue;
    bool full = false, unknown = false;
    Chain chain = entry.chain;
    add_backup(chain, nodes, index, places, [&](NodeId id) {
      const MemoryRoom::Fit fit = room.fits(entry, id);
      full = full || fit == MemoryRoom::Fit::kNo;
      unknown = unknown || fit == MemoryRoom::Fit::kUnknown;
      return fit == MemoryRoom::Fit::kYes;
    });
    if (chain.size() > entry.chain.size()) {
      entry.learner = chain.back();
      room.promise(entry, entry.learner);
    } else if (unknown || full) {
      (unknown ? learners.undecided : learners.no_room).push_back(entry.shard);
    }
  }
  learners.entries = std::move(entries);
  return learners;
}

}  // namespace capstan
