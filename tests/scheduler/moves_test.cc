#include "scheduler/moves.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/rng.h"

namespace capstan {
namespace {

std::vector<PlacementNode> equal_nodes(std::size_t count) {
  std::vector<PlacementNode> nodes;
  for (std::size_t n = 0; n < count; ++n)
    nodes.push_back({static_cast<NodeId>(n + 1), 0, fmt::format("h{}", n)});
  return nodes;
}
std::vector<ShardEntry> entries_of(const std::vector<Chain>& chains) {
  std::vector<ShardEntry> entries;
  for (std::uint32_t shard = 0; shard < chains.size(); ++shard)
    entries.push_back({shard, 1, chains[shard], 0});
  return entries;
}
std::map<NodeId, std::size_t> places(const std::vector<Chain>& chains) {
  std::map<NodeId, std::size_t> count;
  for (const Chain& chain : chains) {
    for (const NodeId id : chain) ++count[id];
  }
  return count;
}
std::map<NodeId, std::size_t> firsts(const std::vector<Chain>& chains) {
  std::map<NodeId, std::size_t> count;
  for (const Chain& chain : chains) ++count[chain.front()];
  return count;
}

// Carries a move out as the scheduler does, by way of a learner. Its server must be the one that goes.
void carry_out(std::vector<Chain>& chains, const Move& move, std::uint32_t replicas,
               const std::vector<PlacementNode>& nodes) {
  std::vector<ShardEntry> entries = entries_of(chains);
  entries[move.shard].learner = move.to;
  chains = settled(entries, replicas, nodes);
}

TEST(Moves, BalancedChainsStayAsTheyAre) {
  for (const std::uint32_t replicas : {1U, 2U, 3U}) {
    const auto nodes = equal_nodes(4);
    const auto chains = evened_out(place(64, replicas, nodes, {}), nodes);
    EXPECT_EQ(settled(entries_of(chains), replicas, nodes), chains);
    EXPECT_TRUE(plan_moves(chains, nodes, 10).empty());
    EXPECT_TRUE(plan_primaries(chains, nodes, std::vector<bool>(64, false), 10).empty());
  }
}

TEST(Moves, AServerThatJoinsGetsItsShareAndNoMoreMoves) {
  const auto chains = place(16, 1, equal_nodes(3), {});
  const auto moves = plan_moves(chains, equal_nodes(4), 100);
  EXPECT_EQ(moves.size(), 4U);
  for (const Move& move : moves) {
    EXPECT_EQ(move.to, 4U);
    EXPECT_EQ(chains[move.shard], Chain{move.from});
  }
}

TEST(Moves, AServerThatLeavesLosesItsPlacesFirst) {
  auto nodes = equal_nodes(4);
  const auto chains = place(32, 2, nodes, {});
  nodes[1].leaving = true;
  const std::size_t held = places(chains)[2];
  const auto moves = plan_moves(chains, nodes, held);
  EXPECT_EQ(moves.size(), held);
  for (const Move& move : moves) {
    EXPECT_EQ(move.from, 2U);
    EXPECT_EQ(std::count(chains[move.shard].begin(), chains[move.shard].end(), move.to), 0);
  }
}

TEST(Moves, SharesAreByMemory) {
  const std::vector<PlacementNode> nodes = {{1, 100, "a"}, {2, 300, "b"}};
  const std::vector<Chain> chains(16, Chain{1});
  EXPECT_EQ(plan_moves(chains, nodes, 100).size(), 12U);
}

TEST(Moves, NobodyIsAskedToHoldAShardTwice) {
  // Of 2 x 8 places the large server can have only 8.
  const std::vector<PlacementNode> nodes = {{1, 1000, "a"}, {2, 10, "b"}, {3, 10, "c"}};
  std::vector<Chain> chains(8, Chain{1, 2});
  const auto moves = plan_moves(chains, nodes, 100);
  EXPECT_EQ(moves.size(), 4U);
  for (const Move& move : moves) EXPECT_EQ(move.to, 3U);
}

TEST(Moves, HostsAreNotShared) {
  // The one with room is on the host of the first.
  const std::vector<PlacementNode> nodes = {{1, 0, "a"}, {2, 0, "b"}, {3, 0, "a"}};
  const std::vector<Chain> chains(6, Chain{1, 2});
  for (const Move& move : plan_moves(chains, nodes, 100)) EXPECT_EQ(move.from, 1U) << "not from 2";
}

TEST(Moves, ThePrimaryOfAServerThatCameBackIsItAgain) {
  const auto nodes = equal_nodes(2);
  const std::vector<Chain> chains(8, Chain{2, 1});
  const auto moves = plan_primaries(chains, nodes, std::vector<bool>(8, false), 100);
  ASSERT_EQ(moves.size(), 4U);
  for (const Move& move : moves) {
    EXPECT_EQ(move.from, 2U);
    EXPECT_EQ(move.to, 1U);
  }
}

TEST(Moves, WhoHoldsMostLeavesAChainThatIsTooLong) {
  const auto nodes = equal_nodes(3);
  std::vector<ShardEntry> entries = entries_of({{1, 2}, {1, 2}, {1, 2}});
  entries[1].learner = 3;
  const auto chains = settled(entries, 2, nodes);
  EXPECT_EQ(chains[1], (Chain{1, 3})) << "of two that hold as much, not the one that leads";
  EXPECT_EQ(chains[0], (Chain{1, 2}));
}

// Two zones of two hosts each, in the order of ids.
std::vector<PlacementNode> zoned_nodes() {
  return {
      {1, 0, "a1", false, "a"}, {2, 0, "a2", false, "a"}, {3, 0, "b1", false, "b"}, {4, 0, "b2", false, "b"}};
}
std::size_t within_a_zone(const std::vector<Chain>& chains) {
  return static_cast<std::size_t>(std::count_if(
      chains.begin(), chains.end(), [](const Chain& chain) { return (chain[0] <= 2) == (chain[1] <= 2); }));
}
// Until there are no more moves; how many there were.
std::size_t carry_all_out(std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                          const LoadShares& loads) {
  for (std::size_t count = 0;; ++count) {
    std::vector<Move> moves = plan_moves(chains, nodes, 1, loads);
    if (moves.empty()) moves = plan_parting(chains, nodes);
    if (moves.empty()) moves = plan_swap(chains, nodes, loads);
    if (moves.empty() || count > chains.size() * 4) return count;
    std::vector<ShardEntry> entries = entries_of(chains);
    MovesBegun begun;
    for (const Move& move : moves) {
      entries[move.shard].learner = move.to;
      begun[move.shard] = move;
    }
    chains = settled(entries, static_cast<std::uint32_t>(chains[0].size()), nodes, begun);
  }
}

TEST(Moves, CopiesGoToDifferentZones) {
  const auto nodes = zoned_nodes();
  EXPECT_EQ(within_a_zone(evened_out(place(64, 2, nodes, {}), nodes)), 0U);
  // A zone joins: half of the places go there, one of each chain.
  const std::vector<PlacementNode> before(nodes.begin(), nodes.begin() + 2);
  std::vector<Chain> chains = evened_out(place(64, 2, before, {}), before);
  EXPECT_EQ(carry_all_out(chains, nodes, {}), 64U);
  EXPECT_EQ(within_a_zone(chains), 0U);
}

// As many places everywhere, but copies that would be lost together.
TEST(Moves, ChainsWithinAZonePart) {
  const auto nodes = zoned_nodes();
  std::vector<Chain> chains;
  for (std::uint32_t shard = 0; shard < 32; ++shard)
    chains.push_back(shard % 2 == 0 ? Chain{1, 2} : Chain{3, 4});
  EXPECT_LE(carry_all_out(chains, nodes, {}), 32U);
  EXPECT_EQ(within_a_zone(chains), 0U);
  for (const auto& [id, count] : places(chains)) EXPECT_EQ(count, 16U) << id;
  EXPECT_TRUE(plan_parting(chains, nodes).empty());
}

double led(const std::vector<Chain>& chains, const LoadShares& loads, NodeId id) {
  double sum = 0.0;
  for (std::size_t shard = 0; shard < chains.size(); ++shard)
    sum += chains[shard].front() == id ? loads[shard] : 0.0;
  return sum;
}

TEST(Moves, WhoLeadsIsEvenedOutByLoad) {
  const auto nodes = equal_nodes(2);
  std::vector<Chain> chains(8, Chain{1, 2});
  for (std::size_t shard = 4; shard < 8; ++shard) chains[shard] = {2, 1};
  const LoadShares loads = {3, 2.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.6};  // 1 leads 6.2 of 8
  const auto moves = plan_primaries(chains, nodes, std::vector<bool>(8, false), 10, loads);
  ASSERT_FALSE(moves.empty());
  EXPECT_EQ(moves[0].shard, 1U) << "2.4 for a difference of 4.4";
  for (const Move& move : moves) chains[move.shard] = led_by(chains[move.shard], move.to);
  EXPECT_NEAR(led(chains, loads, 1), 4.0, 0.5);
  EXPECT_TRUE(plan_primaries(chains, nodes, std::vector<bool>(8, false), 10, loads).empty());
}

TEST(Moves, ALittleMoreLoadMovesNothing) {
  const auto nodes = equal_nodes(2);
  std::vector<Chain> chains(8, Chain{1, 2});
  for (std::size_t shard = 4; shard < 8; ++shard) chains[shard] = {2, 1};
  const LoadShares loads = {1.05, 1.05, 1.05, 1.05, 0.95, 0.95, 0.95, 0.95};
  EXPECT_TRUE(plan_primaries(chains, nodes, std::vector<bool>(8, false), 10, loads).empty());
  for (Chain& chain : chains) chain.pop_back();
  EXPECT_TRUE(plan_swap(chains, nodes, loads).empty());
}

// Without copies a hot shard goes for a cool one, so that memory stays even; it ends, whatever the loads.
TEST(Moves, HotShardsWithoutCopiesAreSwapped) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const auto nodes = equal_nodes(2 + rng.below(4));
    std::vector<Chain> chains = place(64, 1, nodes, {});
    LoadShares loads;
    double sum = 0.0;
    for (std::size_t shard = 0; shard < 64; ++shard) sum += loads.emplace_back(std::pow(rng.uniform(), 4.0));
    for (double& load : loads) load *= 64.0 / sum;
    EXPECT_LT(carry_all_out(chains, nodes, loads), 64U);
    const double share = 64.0 / static_cast<double>(nodes.size());
    double most = 0.0, hottest = *std::max_element(loads.begin(), loads.end());
    for (const PlacementNode& node : nodes) most = std::max(most, led(chains, loads, node.id));
    EXPECT_LE(most, share * 1.25 + hottest * 0.5);
    for (const auto& [id, count] : places(chains))
      EXPECT_LE(std::abs(static_cast<double>(count) - share), 1.0);
  }
}

// Servers come, leave and are lost at random; the moves are carried out one by one.
TEST(Moves, EndAndLeaveEveryServerItsShare) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const auto replicas = static_cast<std::uint32_t>(1 + rng.below(3));
    const std::uint32_t num_shards = 1U << (4 + rng.below(3));
    std::vector<PlacementNode> nodes = equal_nodes(replicas + 1 + rng.below(5));
    std::vector<Chain> chains = place(num_shards, replicas, nodes, {});
    NodeId next = 100;
    for (int change = 0; change < 4; ++change) {
      if (rng.chance(0.5) && nodes.size() > replicas + 1) {
        nodes[rng.below(nodes.size())].leaving = true;
      } else {
        nodes.push_back({next++, 0, "new" + std::to_string(change)});
      }
      for (std::size_t step = 0;; ++step) {
        ASSERT_LT(step, std::size_t{num_shards} * 10) << "the moves do not end";
        const auto moves = plan_moves(chains, nodes, 1);
        if (moves.empty()) break;
        carry_out(chains, moves[0], replicas, nodes);
        for (const Chain& chain : chains) ASSERT_EQ(chain.size(), replicas);
      }
      for (std::size_t step = 0;; ++step) {
        ASSERT_LT(step, std::size_t{num_shards} * 2) << "primaries do not end to change";
        const auto moves = plan_primaries(chains, nodes, std::vector<bool>(num_shards, false), 1);
        if (moves.empty()) break;
        Chain& chain = chains[moves[0].shard];
        std::erase(chain, moves[0].to);
        chain.insert(chain.begin(), moves[0].to);
      }
      std::erase_if(nodes, [](const PlacementNode& node) { return node.leaving; });
      const double share = static_cast<double>(num_shards) * replicas / static_cast<double>(nodes.size());
      auto held = places(chains), leads = firsts(chains);
      for (const PlacementNode& node : nodes) {
        EXPECT_LE(std::abs(static_cast<double>(held[node.id]) - share), 1.0) << node.id;
        EXPECT_LE(std::abs(static_cast<double>(leads[node.id]) - share / replicas), 2.0) << node.id;
        held.erase(node.id);
      }
      EXPECT_TRUE(held.empty()) << "a server that left holds something";
    }
  }
}

}  // namespace
}  // namespace capstan
