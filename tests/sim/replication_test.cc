// Chains of two and three: servers die, stop and are cut off, and nothing acknowledged is lost or doubled.
#include <gtest/gtest.h>

#include "scheduler/node_stats.h"
#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions chains_of(std::uint32_t replicas, std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.replicas = replicas;
  options.servers = replicas + static_cast<std::uint32_t>(seed / 3 % 2);
  options.shape.batches += 40;
  options.lease_ms = 3000;  // a broken connection alone must not cost it
  return options;
}

TroubleOptions server_trouble(std::uint64_t seed) {
  TroubleOptions trouble;
  trouble.server_crashes = true;
  trouble.down_max = seconds(6);
  trouble.scheduler_crashes = seed % 4 == 0;
  return trouble;
}

void run(std::uint32_t replicas, std::uint64_t first, std::uint64_t count, bool checkpoints) {
  const SeedRange seeds(first, count);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = chains_of(replicas, seed);
    if (checkpoints) options.checkpoint_every_steps = 5 + seed % 20;
    SimCluster cluster(seed, options);
    make_trouble(cluster, server_trouble(seed), seconds(60));
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

TEST(Replication, CopiesAreEqualInPeace) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = chains_of(2 + seed % 2, seed);
    options.sim.network = NetworkOptions{};
    SimCluster cluster(seed, options);
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
    for (const ShardEntry& entry : cluster.scheduler_process()->job().map().entries()) {
      ASSERT_EQ(entry.chain.size(), options.replicas) << replay(seed);
    }
  }
}

TEST(Replication, ChainsOfTwoInTrouble) {
  run(2, 1, 60, false);
}
TEST(Replication, ChainsOfThreeInTrouble) {
  run(3, 1, 40, false);
}
TEST(Replication, CheckpointsOfChainsInTrouble) {
  run(2, 1001, 30, true);
}

// Whether anybody but primaries answered pulls.
std::uint64_t copies_served(SimCluster& cluster) {
  std::uint64_t sum = 0;
  const auto process = cluster.scheduler_process();
  for (const auto& [id, node] : process->membership().nodes()) {
    const json::object stats = stats_of(node);
    if (const auto* count = stats.if_contains("copies_served")) sum += count->to_number<std::uint64_t>();
  }
  return sum;
}

TEST(Replication, BackupsAnswerPullsWithinTheStaleness) {
  const SeedRange seeds(1, 60);
  std::uint64_t served_in_all = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = chains_of(2 + seed % 2, seed);
    options.consistency = Consistency::kBounded;
    options.pull_copies = true;
    SimCluster cluster(seed, options);
    if (seed % 4 != 0) make_trouble(cluster, server_trouble(seed), seconds(60));
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
    served_in_all += copies_served(cluster);
  }
  EXPECT_GT(served_in_all, 0U);
}

// How many shards somebody answers for.
std::size_t served(SimCluster& cluster) {
  std::size_t count = 0;
  for (std::uint32_t n = 0; n < cluster.options().servers; ++n) {
    const auto server = cluster.server_process(cluster.server(n));
    if (server == nullptr || cluster.world().paused(cluster.server(n))) continue;
    for (const HeldShard& held : server->held_shards()) count += held.serves ? 1 : 0;
  }
  return count;
}

ClusterOptions long_calm_world(std::uint64_t seed) {
  ClusterOptions options = chains_of(2, seed);
  options.servers = 3;
  options.shape.batches += 60;
  options.lease_ms = 1000;
  options.sim.network = NetworkOptions{};
  return options;
}

TEST(Replication, ABackupTakesOverWithinTheLeaseAndASecond) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, long_calm_world(seed));
    SimWorld& world = cluster.world();
    const std::uint64_t some = 10 + seed;
    ASSERT_TRUE(world.run_until([&] { return cluster.findings().computed >= some; }, seconds(60)));
    ASSERT_EQ(served(cluster), cluster.options().shape.num_shards) << replay(seed);
    SimNode& node = cluster.server(world.rng().below(3));
    if (seed % 2 == 0) {
      cluster.crash(node, SimWorld::Crash::kProcess);
    } else {
      world.pause(node, seconds(6));
    }
    const Duration begin = world.elapsed();
    const std::uint64_t before = cluster.findings().computed;
    const auto goes_on = [&] {
      return served(cluster) == cluster.options().shape.num_shards &&
             cluster.findings().computed >= before + cluster.options().shape.partitions * 8;
    };
    ASSERT_TRUE(world.run_until([&] { return goes_on() || cluster.ended(); }, seconds(60))) << replay(seed);
    ASSERT_FALSE(cluster.ended()) << replay(seed);
    EXPECT_LE(world.elapsed() - begin, milliseconds(cluster.options().lease_ms) + seconds(1)) << replay(seed);
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

// Stopped for longer than its lease, again and again, whoever it is: it never serves beside its successor.
TEST(Replication, AStoppedPrimaryNeverServesBesideItsSuccessor) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, long_calm_world(seed));
    SimWorld& world = cluster.world();
    std::uint64_t wakes = 0;
    for (int round = 0; round < 3 && !cluster.ended(); ++round) {
      world.pause(cluster.server(world.rng().below(3)), milliseconds(900 + 200 * static_cast<int>(seed)));
      const Duration end = world.elapsed() + seconds(5);
      world.run_until(
          [&] {
            const std::string two = cluster.check_owners();
            if (!two.empty()) cluster.findings().report(two);
            return cluster.ended() || world.elapsed() >= end;
          },
          seconds(10));
      ++wakes;
    }
    EXPECT_GE(wakes, 1U);
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

// Silent for many leases, but not for the grace: the chains go on by their members' promises.
TEST(Replication, TheWorkGoesOnWhileTheSchedulerIsAway) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, long_calm_world(seed));
    SimWorld& world = cluster.world();
    ASSERT_TRUE(world.run_until([&] { return cluster.findings().computed >= 10; }, seconds(60)));
    cluster.crash(cluster.scheduler(), SimWorld::Crash::kPower);
    Duration longest{0}, last = world.elapsed();
    std::uint64_t computed = cluster.findings().computed;
    const Duration end = world.elapsed() + seconds(3);
    world.run_until(
        [&] {
          if (cluster.findings().computed == computed && served(cluster) > 0) {
            longest = std::max(longest, world.elapsed() - last);
          } else {
            last = world.elapsed();
          }
          computed = cluster.findings().computed;
          return world.elapsed() >= end;
        },
        seconds(10));
    EXPECT_EQ(served(cluster), cluster.options().shape.num_shards) << replay(seed);
    cluster.restart(cluster.scheduler());
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

}  // namespace
}  // namespace capstan
