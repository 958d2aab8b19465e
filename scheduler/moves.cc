#include "scheduler/moves.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>

#include "common/assert.h"

namespace capstan {

namespace {

// Less would only turn the imbalance round.
constexpr double kEnough = 1.0 + 1e-6;
constexpr double kTiny = 1e-6;

const LoadShares kNoLoads;

// With loads, which waver: less than such a part of what a server leads on the average is no reason to change
// who leads, or even to copy shards.
constexpr double kLeadSlack = 0.1, kSwapSlack = 0.2;
constexpr double kWorthACopy = 0.1;  // of the latter, for one pair of shards

double slack(const Balance& balance, std::size_t num_shards, double part) {
  if (!balance.knows_loads()) return kTiny;
  return part * static_cast<double>(num_shards) / static_cast<double>(balance.nodes().size());
}

// How much nearer to their shares two servers come when `load` goes from one that leads `from` beyond its
// share to one with `to`: half of what the sum of squares falls by, over the load.
double gain(double from, double to, double load) {
  return from - to - load;
}

// goes: the member that a move was begun for; 0: none.
NodeId too_many(const Chain& chain, const Balance& balance, NodeId goes) {
  if (holds(chain, goes)) return goes;
  struct Rank {
    bool stays;
    std::size_t nearness;  // of those that remain
    double excess;
    bool first;
  };
  const auto rank = [&](NodeId id) {
    return Rank{!balance.leaves(id), balance.nearness_within(chain, id), -balance.members(id),
                id == chain.front()};
  };
  const auto before = [&](NodeId a, NodeId b) {
    const Rank x = rank(a), y = rank(b);
    return std::tie(x.stays, x.nearness, x.excess, x.first) <
           std::tie(y.stays, y.nearness, y.excess, y.first);
  };
  return *std::min_element(chain.begin(), chain.end(), before);
}

Chain replaced(Chain chain, NodeId from, NodeId to) {
  std::replace(chain.begin(), chain.end(), from, to);
  return chain;
}

// By how much the chain's members come nearer to each other: negative when they part.
double nearer(const Balance& balance, const Chain& before, const Chain& after) {
  return static_cast<double>(balance.nearness_within(after)) -
         static_cast<double>(balance.nearness_within(before));
}

// Of the chains that have `from` and not `to`, the one whose move parts its members most, and of these the
// one that evens out best who leads.
std::optional<std::size_t> best_shard(const std::vector<Chain>& chains, NodeId from, NodeId to,
                                      const Balance& balance) {
  std::optional<std::size_t> best;
  double best_nearer = 0.0, best_gain = 0.0;
  for (std::size_t shard = 0; shard < chains.size(); ++shard) {
    const Chain& chain = chains[shard];
    if (!holds(chain, from) || holds(chain, to)) continue;
    const Chain after = replaced(chain, from, to);
    const double near = nearer(balance, chain, after);
    if (near > 0.0 && !balance.leaves(from)) continue;
    double evens = 0.0;
    if (chain.front() == from) {
      const double load = balance.load(shard);
      evens = load * gain(balance.firsts(from), balance.firsts(balance.successor(after, 0)), load);
    }
    const bool worse = near > best_nearer || (near == best_nearer && evens <= best_gain);
    if (best.has_value() && worse) continue;
    best = shard;
    best_nearer = near;
    best_gain = evens;
  }
  return best;
}

std::optional<Move> next_move(const std::vector<Chain>& chains, const Balance& balance) {
  struct Pair {
    NodeId from, to;
    double worth;
    std::size_t number;
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
      if (to.leaving || from.id == to.id || worth <= kEnough) continue;
      pairs.push_back({from.id, to.id, worth, pairs.size()});
    }
  }
  // Nearly always the first will do.
  const auto later = [](const Pair& a, const Pair& b) {
    return std::tie(a.worth, b.number) < std::tie(b.worth, a.number);
  };
  std::make_heap(pairs.begin(), pairs.end(), later);
  for (; !pairs.empty(); pairs.pop_back()) {
    std::pop_heap(pairs.begin(), pairs.end(), later);
    const Pair& pair = pairs.back();
    const auto shard = best_shard(chains, pair.from, pair.to, balance);
    if (shard.has_value()) return Move{static_cast<std::uint32_t>(*shard), pair.from, pair.to};
  }
  return std::nullopt;
}

// Of that many members, spread as evenly over zones and hosts as these allow.
std::size_t least_nearness(const std::vector<PlacementNode>& nodes, std::size_t members) {
  std::set<std::string_view> zones, hosts;
  for (const PlacementNode& node : nodes) {
    zones.insert(node.zone);
    hosts.insert(node.host);
  }
  const auto pairs_within = [&](std::size_t groups) {
    const std::size_t each = members / groups, larger = members % groups;
    return larger * each + groups * (each * (each - 1) / 2);  // C(n + 1, 2) = C(n, 2) + n
  };
  const PlacementNode one{}, two{0, 0, "another host", false, ""};
  const std::size_t zone = nearness(one, two), host = nearness(one, one) - zone;
  return zone * pairs_within(zones.size()) + host * pairs_within(hosts.size());
}

std::size_t places_of(const std::vector<Chain>& chains) {
  std::size_t places = 0;
  for (const Chain& chain : chains) places += chain.size();
  return places;
}

std::vector<Move> carry_out_moves(std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                                  std::size_t most, const LoadShares& loads) {
  Balance balance(chains, places_of(chains), nodes, loads);
  std::vector<Move> moves;
  while (moves.size() < most) {
    const auto move = next_move(chains, balance);
    if (!move.has_value()) break;
    Chain& chain = chains[move->shard];
    chain.push_back(move->to);
    balance.add(move->to, 1.0);
    balance.take_out(chain, move->shard, move->from);
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
                           const std::vector<PlacementNode>& nodes, const MovesBegun& begun) {
  std::vector<Chain> chains;
  std::size_t places = 0;
  for (const ShardEntry& entry : entries) {
    Chain& chain = chains.emplace_back(entry.chain);
    if (entry.learner != 0) chain.push_back(entry.learner);
    places += std::min<std::size_t>(chain.size(), std::max(replicas, 1U));
  }
  Balance balance(chains, places, nodes, kNoLoads);
  for (std::size_t shard = 0; shard < chains.size(); ++shard) {
    Chain& chain = chains[shard];
    const auto move = begun.find(static_cast<std::uint32_t>(shard));
    const bool to_is_here = move != begun.end() && holds(chain, move->second.to);
    const NodeId goes = to_is_here ? move->second.from : 0;
    while (chain.size() > std::max(replicas, 1U)) {
      balance.take_out(chain, shard, too_many(chain, balance, goes));
    }
  }
  return chains;
}

std::vector<Move> plan_moves(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                             std::size_t most, const LoadShares& loads) {
  return carry_out_moves(chains, nodes, most, loads);
}

std::vector<Move> plan_parting(const std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes) {
  const Balance balance(chains, places_of(chains), nodes, kNoLoads);
  std::optional<Move> best;
  double best_nearer = 0.0, best_excess = 0.0;
  for (std::uint32_t shard = 0; shard < chains.size(); ++shard) {
    if (balance.nearness_within(chains[shard]) <= least_nearness(nodes, chains[shard].size())) continue;
    for (const NodeId from : chains[shard]) {
      for (const PlacementNode& to : nodes) {
        if (to.leaving || holds(chains[shard], to.id)) continue;
        const double near = nearer(balance, chains[shard], replaced(chains[shard], from, to.id));
        const double excess = balance.members(to.id) - balance.members(from);
        // Beyond that the others would not take as much back.
        if (near >= 0.0 || excess >= kEnough) continue;
        const bool worse = near > best_nearer || (near == best_nearer && excess >= best_excess);
        if (best.has_value() && worse) continue;
        best = Move{shard, from, to.id};
        best_nearer = near;
        best_excess = excess;
      }
    }
  }
  return best.has_value() ? std::vector<Move>{*best} : std::vector<Move>{};
}

std::vector<Move> plan_swap(const std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                            const LoadShares& loads) {
  const Balance balance(chains, places_of(chains), nodes, loads);
  if (!balance.knows_loads()) return {};
  const auto less_led = [&](const PlacementNode& a, const PlacementNode& b) {
    return balance.firsts(a.id) < balance.firsts(b.id);
  };
  const auto [cool, hot] = std::minmax_element(nodes.begin(), nodes.end(), less_led);
  const double least = slack(balance, chains.size(), kSwapSlack);
  if (cool->leaving || hot->leaving || balance.firsts(hot->id) - balance.firsts(cool->id) <= least) return {};
  double best_gain = least * kWorthACopy;
  std::vector<Move> best;
  for (std::uint32_t give = 0; give < chains.size(); ++give) {
    if (chains[give].front() != hot->id || holds(chains[give], cool->id)) continue;
    if (nearer(balance, chains[give], replaced(chains[give], hot->id, cool->id)) > 0.0) continue;
    for (std::uint32_t take = 0; take < chains.size(); ++take) {
      if (chains[take].front() != cool->id || holds(chains[take], hot->id)) continue;
      const double load = balance.load(give) - balance.load(take);
      const double evens = std::min(load, gain(balance.firsts(hot->id), balance.firsts(cool->id), load));
      if (evens <= best_gain) continue;
      if (nearer(balance, chains[take], replaced(chains[take], cool->id, hot->id)) > 0.0) continue;
      best_gain = evens;
      best = {{give, hot->id, cool->id}, {take, cool->id, hot->id}};
    }
  }
  return best;
}

std::vector<Move> plan_primaries(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes,
                                 const std::vector<bool>& busy, std::size_t most, const LoadShares& loads) {
  Balance balance(chains, places_of(chains), nodes, loads);
  std::vector<Move> moves;
  while (moves.size() < most) {
    std::optional<Move> best;
    double best_worth = 0.0;
    for (std::uint32_t shard = 0; shard < chains.size(); ++shard) {
      const Chain& chain = chains[shard];
      for (const NodeId id : chain) {
        const double load = balance.load(shard);
        const double evens = gain(balance.firsts(chain.front()), balance.firsts(id), load);
        const bool enough = evens > slack(balance, chains.size(), kLeadSlack);
        if (busy[shard] || balance.leaves(id) || !enough || load * evens <= best_worth) continue;
        best = Move{shard, chain.front(), id};
        best_worth = load * evens;
      }
    }
    if (!best.has_value()) break;
    const double load = balance.load(best->shard);
    balance.add_first(best->from, -load);
    balance.add_first(best->to, load);
    chains[best->shard] = led_by(std::move(chains[best->shard]), best->to);
    moves.push_back(*best);
  }
  return moves;
}

std::vector<Chain> evened_out(std::vector<Chain> chains, const std::vector<PlacementNode>& nodes) {
  constexpr std::size_t kAll = ~std::size_t{0};
  carry_out_moves(chains, nodes, kAll, kNoLoads);
  const std::vector<bool> none_busy(chains.size(), false);
  for (const Move& move : plan_primaries(chains, nodes, none_busy, kAll, kNoLoads)) {
    chains[move.shard] = led_by(std::move(chains[move.shard]), move.to);
  }
  return chains;
}

}  // namespace capstan
