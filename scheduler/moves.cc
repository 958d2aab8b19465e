#include "scheduler/moves.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "common/assert.h"

namespace capstan {

namespace {

// Less would only turn the imbalance round.
constexpr double kEnough = 1.0 + 1e-6;

// What each server holds beyond its share; negative: it has room.
class Balance {
 public:
  Balance(const std::vector<Chain>& chains, std::size_t places, const std::vector<PlacementNode>& nodes)
      : nodes_(nodes) {
    const bool equal =
        std::any_of(nodes.begin(), nodes.end(), [](const PlacementNode& node) { return node.memory == 0; });
    std::vector<double> weights;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      index_[nodes[n].id] = n;
      weights.push_back(nodes[n].leaving ? 0.0 : equal ? 1.0 : static_cast<double>(nodes[n].memory));
    }
    members_ = shares(weights, static_cast<double>(places), static_cast<double>(chains.size()));
    firsts_ = shares(weights, static_cast<double>(chains.size()), static_cast<double>(chains.size()));
    for (auto* excess : {&members_, &firsts_}) {
      for (double& each : *excess) each = -each;
    }
    for (const Chain& chain : chains) {
      for (const NodeId id : chain) add(id, 1.0);
      if (!chain.empty()) add_first(chain.front(), 1.0);
    }
  }

  void add(NodeId id, double count) { change(members_, id, count); }
  void add_first(NodeId id, double count) { change(firsts_, id, count); }
  double members(NodeId id) const { return at(members_, id); }
  double firsts(NodeId id) const { return at(firsts_, id); }
  const PlacementNode* node(NodeId id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? nullptr : &nodes_[found->second];
  }
  bool leaves(NodeId id) const { return node(id) == nullptr || node(id)->leaving; }
  // How many pairs of the chain, without `except`, are on one host.
  std::size_t shared_hosts(const Chain& chain, NodeId except = 0) const {
    std::size_t pairs = 0;
    for (std::size_t a = 0; a < chain.size(); ++a) {
      for (std::size_t b = a + 1; b < chain.size(); ++b) {
        const PlacementNode* first = node(chain[a]);
        const PlacementNode* second = node(chain[b]);
        if (first == nullptr || second == nullptr || chain[a] == except || chain[b] == except) continue;
        pairs += first->host == second->host ? 1 : 0;
      }
    }
    return pairs;
  }
  const std::vector<PlacementNode>& nodes() const { return nodes_; }

 private:
  // In proportion to the weights, but nobody more than `most`: what that leaves over goes to the others.
  static std::vector<double> shares(const std::vector<double>& weights, double total, double most) {
    std::vector<double> shares(weights.size(), 0.0);
    std::vector<bool> full(weights.size(), false);
    for (bool again = true; again;) {
      again = false;
      double left = total, weight = 0.0;
      for (std::size_t n = 0; n < weights.size(); ++n) {
        left -= full[n] ? most : 0.0;
        weight += full[n] ? 0.0 : weights[n];
      }
      for (std::size_t n = 0; n < weights.size() && weight > 0.0; ++n) {
        if (full[n]) continue;
        shares[n] = left * (weights[n] / weight);
        if (shares[n] <= most) continue;
        shares[n] = most;
        full[n] = again = true;
      }
    }
    return shares;
  }
  void change(std::vector<double>& excess, NodeId id, double count) {
    if (const auto found = index_.find(id); found != index_.end()) excess[found->second] += count;
  }
  double at(const std::vector<double>& excess, NodeId id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? 0.0 : excess[found->second];
  }

  const std::vector<PlacementNode>& nodes_;
  std::map<NodeId, std::size_t> index_;
  std::vector<double> members_, firsts_;
};

// Takes `from` out; whoever leads least comes first in its place.
void take_out(Chain& chain, NodeId from, Balance& balance) {
  const bool first = chain.front() == from;
  std::erase(chain, from);
  balance.add(from, -1.0);
  if (!first) return;
  balance.add_first(from, -1.0);
  if (chain.empty()) return;
  const auto least = std::min_element(
      chain.begin(), chain.end(), [&](NodeId a, NodeId b) { return balance.firsts(a) < balance.firsts(b); });
  std::rotate(chain.begin(), least, least + 1);
  balance.add_first(chain.front(), 1.0);
}

NodeId too_many(const Chain& chain, const Balance& balance) {
  struct Rank {
    bool stays;
    std::size_t shared_hosts;
    double excess;
    bool first;
  };
  const auto rank = [&](NodeId id) {
    return Rank{!balance.leaves(id), balance.shared_hosts(chain, id), -balance.members(id),
                id == chain.front()};
  };
  const auto before = [&](NodeId a, NodeId b) {
    const Rank x = rank(a), y = rank(b);
    return std::tie(x.stays, x.shared_hosts, x.excess, x.first) <
           std::tie(y.stays, y.shared_hosts, y.excess, y.first);
  };
  return *std::min_element(chain.begin(), chain.end(), before);
}

// Of the chains that have `from` and not `to`, the one whose move evens out who leads best.
std::optional<std::size_t> best_shard(const std::vector<Chain>& chains, NodeId from, NodeId to,
                                      const Balance& balance) {
  std::optional<std::size_t> best;
  double best_worth = 0.0;
  for (std::size_t shard = 0; shard < chains.size(); ++shard) {
    const Chain& chain = chains[shard];
    if (!holds(chain, from) || holds(chain, to)) continue;
    Chain after = chain;
    std::replace(after.begin(), after.end(), from, to);
    const bool worse = balance.shared_hosts(after) > balance.shared_hosts(chain);
    if (worse && !balance.leaves(from)) continue;
    const double worth = (chain.front() == from ? balance.firsts(from) : 0.0) - (worse ? 1e6 : 0.0);
    if (best.has_value() && worth <= best_worth) continue;
    best = shard;
    best_worth = worth;
  }
  return best;
}

std::optional<Move> next_move(const std::vector<Chain>& chains, const Balance& balance) {
  struct Pair {
    NodeId from, to;
    double worth;
  };
  constexpr double kAlways = 1e9;  // a server that leaves
  double least = kAlways;
  for (const PlacementNode& to : balance.nodes()) {
    if (!to.leaving) least = std::min(least, balance.members(to.id));
  }
  std::vector<Pair> pairs;
  for (const PlacementNode& from : balance.nodes()) {
    const double excess = balance.members(from.id);
    const bool leaves = from.leaving && excess > 0.5;
    if (!leaves && excess - least <= kEnough) continue;
    for (const PlacementNode& to : balance.nodes()) {
      const double worth = excess - balance.members(to.id) + (leaves ? kAlways : 0.0);
      if (!to.leaving && from.id != to.id && worth > kEnough) pairs.push_back({from.id, to.id, worth});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.worth > b.worth; });
  for (const Pair& pair : pairs) {
    const auto shard = best_shard(chains, pair.from, pair.to, balance);
    if (shard.has_value()) return Move{static_cast<std::uint32_t>(*shard), pair.from, pair.to};
  }
  return std::nullopt;
}

std::size_t places_of(const std::vector<Chain>& chains) {
  std::size_t places = 0;
  for (const Chain& chain : chains) places += chain.size();
  return places;
}

std::vector<Move> carry_out_moves(std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                                  std::size_t most) {
  Balance balance(chains, places_of(chains), nodes);
  std::vector<Move> moves;
  while (moves.size() < most) {
    const auto move = next_move(chains, balance);
    if (!move.has_value()) break;
    Chain& chain = chains[move->shard];
    chain.push_back(move->to);
    balance.add(move->to, 1.0);
    take_out(chain, move->from, balance);
    moves.push_back(*move);
  }
  return moves;
}

}  // namespace

Chain led_by(Chain chain, NodeId first) {
  std::erase(chain, first);
  chain.insert(chain.begin(), first);
  return chain;
}

std::vector<Chain> settled(const std::vector<ShardEntry>& entries, std::uint32_t replicas,
                           const std::vector<PlacementNode>& nodes) {
  std::vector<Chain> chains;
  std::size_t places = 0;
  for (const ShardEntry& entry : entries) {
    Chain& chain = chains.emplace_back(entry.chain);
    if (entry.learner != 0) chain.push_back(entry.learner);
    places += std::min<std::size_t>(chain.size(), std::max(replicas, 1U));
  }
  Balance balance(chains, places, nodes);
  for (Chain& chain : chains) {
    while (chain.size() > std::max(replicas, 1U)) take_out(chain, too_many(chain, balance), balance);
  }
  return chains;
}

std::vector<Move> plan_moves(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                             std::size_t most) {
  return carry_out_moves(chains, nodes, most);
}

std::vector<Move> plan_primaries(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                                 const std::vector<bool>& busy, std::size_t most) {
  Balance balance(chains, places_of(chains), nodes);
  std::vector<Move> moves;
  while (moves.size() < most) {
    std::optional<Move> best;
    double best_worth = kEnough;
    for (std::uint32_t shard = 0; shard < chains.size(); ++shard) {
      const Chain& chain = chains[shard];
      for (const NodeId id : chain) {
        const double worth = balance.firsts(chain.front()) - balance.firsts(id);
        if (busy[shard] || balance.leaves(id) || worth <= best_worth) continue;
        best = Move{shard, chain.front(), id};
        best_worth = worth;
      }
    }
    if (!best.has_value()) break;
    balance.add_first(best->from, -1.0);
    balance.add_first(best->to, 1.0);
    chains[best->shard] = led_by(std::move(chains[best->shard]), best->to);
    moves.push_back(*best);
  }
  return moves;
}

std::vector<Chain> evened_out(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes) {
  constexpr std::size_t kAll = ~std::size_t{0};
  carry_out_moves(chains, nodes, kAll);
  for (const Move& move : plan_primaries(chains, nodes, std::vector<bool>(chains.size(), false), kAll)) {
    chains[move.shard] = led_by(std::move(chains[move.shard]), move.to);
  }
  return chains;
}

}  // namespace capstan
