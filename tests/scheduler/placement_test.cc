#include "scheduler/placement.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/rng.h"
#include "scheduler/map_ledger.h"

namespace capstan {
namespace {

std::vector<ShardEntry> entries_of(const std::vector<Chain>& chains) {
  std::vector<ShardEntry> entries;
  for (std::uint32_t shard = 0; shard < chains.size(); ++shard)
    entries.push_back({shard, 1, chains[shard], 0});
  return entries;
}
std::vector<Chain> chains_of(const std::vector<ShardEntry>& entries) {
  std::vector<Chain> chains;
  for (const ShardEntry& entry : entries) chains.push_back(entry.chain);
  return chains;
}

std::vector<PlacementNode> equal_nodes(std::size_t count) {
  std::vector<PlacementNode> nodes;
  for (std::size_t n = 0; n < count; ++n)
    nodes.push_back({static_cast<NodeId>(n + 1), 0, fmt::format("h{}", n)});
  return nodes;
}

std::map<NodeId, std::uint32_t> primaries(const std::vector<Chain>& chains) {
  std::map<NodeId, std::uint32_t> count;
  for (const Chain& chain : chains) ++count[chain.front()];
  return count;
}

TEST(Placement, SharesByMemory) {
  const std::vector<PlacementNode> nodes = {{1, 100, "a"}, {2, 300, "b"}};
  EXPECT_EQ(shard_quotas(16, nodes, {}), (std::vector<std::uint32_t>{4, 12}));
  EXPECT_EQ(shard_quotas(16, {{1, 100, "a"}, {2, 0, "b"}}, {}), (std::vector<std::uint32_t>{8, 8}));
  EXPECT_EQ(shard_quotas(8, equal_nodes(3), {}), (std::vector<std::uint32_t>{3, 3, 2}));
}

TEST(Placement, EqualNodesDifferByAtMostOneShardAndMovementIsMinimal) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const std::uint32_t num_shards = 1U << (4 + rng.below(5));
    std::vector<PlacementNode> nodes = equal_nodes(1 + rng.below(12));
    std::vector<Chain> chains = place(num_shards, 1, nodes, {});
    NodeId next = 100;
    for (int change = 0; change < 5; ++change) {
      if (nodes.size() > 1 && rng.chance(0.5)) {
        nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(rng.below(nodes.size())));
      } else {
        nodes.push_back({next++, 0, "new"});
      }
      const std::vector<Chain> moved = place(num_shards, 1, nodes, chains);
      const auto held = primaries(chains);
      const auto holds = primaries(moved);
      std::uint32_t least = num_shards, most = 0, kept_at_best = 0, kept = 0;
      const std::uint32_t share = num_shards / static_cast<std::uint32_t>(nodes.size());
      std::uint32_t with_one_more = num_shards % static_cast<std::uint32_t>(nodes.size());
      std::vector<std::uint32_t> before;
      for (const PlacementNode& node : nodes) {
        const auto found = holds.find(node.id);
        const std::uint32_t count = found == holds.end() ? 0 : found->second;
        least = std::min(least, count);
        most = std::max(most, count);
        before.push_back(held.contains(node.id) ? held.at(node.id) : 0);
      }
      EXPECT_LE(most - least, 1U);
      // Brute bound: the nodes that hold most keep one shard more than the others may.
      std::sort(before.rbegin(), before.rend());
      for (const std::uint32_t count : before) {
        const std::uint32_t quota = share + (with_one_more > 0 ? 1 : 0);
        if (with_one_more > 0) --with_one_more;
        kept_at_best += std::min(count, quota);
      }
      for (std::uint32_t s = 0; s < num_shards; ++s) kept += chains[s] == moved[s] ? 1 : 0;
      EXPECT_EQ(kept, kept_at_best);
      chains = moved;
    }
  }
}

TEST(Placement, ChainsSpreadOverHostsAndKeepTheirMembers) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const auto hosts = static_cast<std::uint32_t>(2 + rng.below(4));
    std::vector<PlacementNode> nodes;
    for (NodeId id = 1; id <= hosts * 2; ++id) nodes.push_back({id, 0, fmt::format("h{}", id % hosts)});
    const std::vector<Chain> chains = place(64, 2, nodes, {});
    std::map<NodeId, std::uint32_t> members;
    for (const Chain& chain : chains) {
      ASSERT_EQ(chain.size(), 2U);
      EXPECT_NE(chain[0] % hosts, chain[1] % hosts) << "both on one host";
      for (const NodeId id : chain) ++members[id];
    }
    for (const auto& [id, count] : members) EXPECT_LE(count, 128 / nodes.size() + 3);
    EXPECT_EQ(place(64, 2, nodes, chains), chains) << "nothing changed, nothing moves";
  }
  EXPECT_EQ(place(2, 3, equal_nodes(2), {})[0].size(), 2U) << "no more members than nodes";
}

TEST(Placement, ALostNodeLeavesAndItsSuccessorIsTheNextMember) {
  const std::vector<Chain> chains = {{1, 2, 3}, {2, 1}, {3}, {1}};
  EXPECT_EQ(chains_of(without_node(entries_of(chains), 1)), (std::vector<Chain>{{2, 3}, {2}, {3}, {}}));
}

TEST(Placement, TheSilentLeaveOnlyWhereSomebodyLives) {
  std::vector<ShardEntry> entries = entries_of({{1, 2, 3}, {2, 1}, {3, 1}, {1}});
  entries[1].learner = 3;
  entries[2].learner = 1;
  const auto left = without_silent(entries, {2, 3}, {2, 3});
  EXPECT_EQ(chains_of(left), (std::vector<Chain>{{2, 3}, {2}, {3}, {1}}));
  EXPECT_EQ(left[1].learner, 3U);
  EXPECT_EQ(left[2].learner, 0U);
  EXPECT_EQ(chains_of(without_silent(entries, {}, {})), chains_of(entries))
      << "the first to come back goes on";
  EXPECT_EQ(chains_of(without_silent(entries, {2, 3}, {3})), (std::vector<Chain>{{2, 3}, {2, 1}, {3}, {1}}))
      << "2 may be dead as well";
}

TEST(Placement, ShortChainsGetLearnersOnOtherHosts) {
  const std::vector<PlacementNode> nodes = {{1, 0, "a"}, {2, 0, "b"}, {3, 0, "a"}, {4, 0, "c"}};
  const auto learners = [&](std::vector<ShardEntry> entries, std::uint32_t replicas) {
    std::vector<NodeId> ids;
    for (const ShardEntry& entry : with_learners(std::move(entries), replicas, nodes, {}).entries)
      ids.push_back(entry.learner);
    return ids;
  };
  EXPECT_EQ(learners(entries_of({{1}, {1}, {1, 2}, {4}}), 2), (std::vector<NodeId>{2, 4, 0, 3}))
      << "not 3 for the first two, though it has nothing: it is on their host";
  EXPECT_EQ(learners(entries_of({{9}, {1, 2, 3, 4}}), 4).back(), 0U) << "long enough";
  EXPECT_NE(learners(entries_of({{9}}), 2).back(), 0U) << "a member that nobody knows is on no host";
  std::vector<ShardEntry> has_one = entries_of({{1}});
  has_one[0].learner = 3;
  EXPECT_EQ(learners(has_one, 3), std::vector<NodeId>{3});
}

TEST(MapLedger, SendsOnlyWhatChanged) {
  MapLedger map(4);
  EXPECT_TRUE(map.empty());
  map.set_address({1, "ps-0", "tcp://a"});
  map.set_address({2, "ps-1", "tcp://b"});
  map.apply(map.changes(entries_of({{1}, {2}, {1}, {2}}), 3));
  const std::uint64_t first = (3ULL << 32) + 1;
  EXPECT_EQ(map.version(), first);
  EXPECT_EQ(map.update_since(0).shards.size(), 4U);
  EXPECT_EQ(map.update_since(0).nodes.size(), 2U);
  EXPECT_TRUE(map.update_since(first).shards.empty());

  EXPECT_TRUE(map.changes(entries_of({{1}, {2}, {1}, {2}}), 3).empty());
  map.apply(map.changes(entries_of({{1}, {2}, {2}, {2}}), 3));
  const MapUpdate difference = map.update_since(first);
  ASSERT_EQ(difference.shards.size(), 1U);
  EXPECT_EQ(difference.shards[0].shard, 2U);
  EXPECT_EQ(difference.shards[0].epoch, first + 1);
  ASSERT_EQ(difference.nodes.size(), 1U);
  EXPECT_EQ(difference.nodes[0].endpoint, "tcp://b");
  EXPECT_EQ(map.update_since(first + 99).shards.size(), 4U) << "someone who knows the future gets everything";

  for (int n = 0; n < 20; ++n) {  // the log is cut short, the answer stays the same
    const std::uint64_t before = map.version();
    map.apply(map.changes(entries_of({{n % 2 == 0 ? 2U : 1U}, {2}, {2}, {2}}), 3));
    ASSERT_EQ(map.update_since(before).shards.size(), 1U);
    ASSERT_EQ(map.update_since(first).shards.size(), 2U);
    ASSERT_EQ(map.update_since(0).shards.size(), 4U);
  }
  map.apply(map.changes(entries_of({{2}, {2}, {2}, {2}}), 4));
  EXPECT_EQ(map.version(), (4ULL << 32) + 1) << "a new generation is above all of the old";
  EXPECT_EQ(map.update_since(first).shards.size(), 2U);

  std::vector<ShardEntry> learning = map.entries();
  learning[3].learner = 1;
  ASSERT_EQ(map.changes(learning, 4).size(), 1U) << "a learner is a change, under a new epoch";
  map.apply(map.changes(learning, 4));
  EXPECT_EQ(map.update_since((4ULL << 32) + 1).nodes.size(), 2U) << "with its address";
}

}  // namespace
}  // namespace capstan
