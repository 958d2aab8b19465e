// Servers come and go while a job trains: shards move under pushes and pulls, in peace and in trouble.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;

ClusterOptions calm_world(std::uint32_t replicas, std::uint64_t seed) {
  ClusterOptions options = changing_world(replicas, seed);
  options.servers = 2;
  options.sim.network = NetworkOptions{};
  return options;
}

// Places in chains and first places, by server.
struct Shares {
  std::map<NodeId, std::size_t> places, firsts;
};
Shares shares_of(SimCluster& cluster) {
  Shares shares;
  for (const ShardEntry& entry : cluster.scheduler_process()->job().map().entries()) {
    for (const NodeId id : entry.chain) ++shares.places[id];
    ++shares.firsts[entry.chain.front()];
  }
  return shares;
}

NodeId id_of(SimCluster& cluster, const SimNode& node) {
  const Node* known = cluster.scheduler_process()->membership().find(node.name());
  return known == nullptr ? 0 : known->id;
}

bool balanced(SimCluster& cluster, std::size_t servers) {
  if (cluster.scheduler_process() == nullptr) return false;
  const Shares shares = shares_of(cluster);
  const auto even = [&](const std::map<NodeId, std::size_t>& counts) {
    std::size_t least = ~std::size_t{0}, most = 0;
    for (const auto& [id, count] : counts) {
      least = std::min(least, count);
      most = std::max(most, count);
    }
    return counts.size() == servers && most - least <= 1;
  };
  const auto& entries = cluster.scheduler_process()->job().map().entries();
  const bool settled = std::all_of(entries.begin(), entries.end(), [&](const ShardEntry& entry) {
    return entry.learner == 0 && entry.chain.size() == cluster.options().replicas;
  });
  return settled && even(shares.places) && even(shares.firsts);
}

TEST(Elastic, AServerThatJoinsGetsItsShare) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, calm_world(1 + seed / 3 % 2, seed));
    ASSERT_TRUE(watch_owners(
        cluster, [&] { return cluster.findings().computed >= 10; }, seconds(60)));
    cluster.add_server();
    ASSERT_TRUE(watch_owners(
        cluster, [&] { return balanced(cluster, 3); }, seconds(120)))
        << replay(seed);
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

TEST(Elastic, AServerThatIsDrainedLosesAllAndLeaves) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = calm_world(1 + seed / 3 % 2, seed);
    options.servers = 3;
    SimCluster cluster(seed, options);
    ASSERT_TRUE(watch_owners(
        cluster, [&] { return cluster.findings().computed >= 10; }, seconds(60)));
    SimNode& gone = cluster.server(seed % 3);
    const NodeId id = id_of(cluster, gone);
    ASSERT_TRUE(cluster.drain(gone));
    ASSERT_TRUE(watch_owners(
        cluster, [&] { return cluster.has_left(gone); }, seconds(120)))
        << replay(seed);
    EXPECT_EQ(shares_of(cluster).places.count(id), 0U) << replay(seed);
    ASSERT_TRUE(watch_owners(
        cluster, [&] { return balanced(cluster, 2); }, seconds(120)))
        << replay(seed);
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

void run(std::uint32_t replicas, std::uint64_t first, std::uint64_t count, bool checkpoints) {
  const SeedRange seeds(first, count);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ASSERT_EQ(servers_change_in_trouble(seed, replicas, checkpoints), "") << replay(seed);
  }
}

TEST(Elastic, ShardsWithoutReplicasMoveInTrouble) {
  run(1, 1, 40, false);
}
TEST(Elastic, ChainsMoveInTrouble) {
  run(2, 1, 40, false);
}
TEST(Elastic, CheckpointsAreMadeWhileShardsMove) {
  run(1, 1001, 15, true);
  run(2, 2001, 25, true);
}

}  // namespace
}  // namespace capstan
