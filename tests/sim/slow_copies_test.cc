// Copies that are slow, or out of their primary's reach: they hold nobody up for long and take no memory that
// others need.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions two_copies(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2;
  options.shape.batches += 300;
  options.lease_ms = 2000;
  options.sim.network = NetworkOptions{};
  return options;
}

bool is_whole(const SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  if (process == nullptr || process->job().map().empty()) return false;
  const auto& entries = process->job().map().entries();
  return std::all_of(entries.begin(), entries.end(), [&](const ShardEntry& entry) {
    return entry.chain.size() >= cluster.options().replicas;
  });
}

// Both reach the scheduler, and the workers both of them.
TEST(SlowCopies, ACutBetweenTwoServersHoldsNobodyUpForLong) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, two_copies(seed));
    SimWorld& world = cluster.world();
    world.run_until([&] { return cluster.findings().computed >= 10; }, seconds(60));
    world.partition_one_way(cluster.server(0), cluster.server(1));
    if (seed % 2 == 0) world.partition_one_way(cluster.server(1), cluster.server(0));
    world.run_for(seconds(5));
    const std::uint64_t before = cluster.findings().computed;
    world.run_for(seconds(5));
    EXPECT_GT(cluster.findings().computed, before) << replay(seed);
    EXPECT_EQ(cluster.check_owners(), "") << replay(seed);
    world.heal();
    world.run_until([&] { return cluster.ended() || is_whole(cluster); }, seconds(120));
    ASSERT_EQ(must_finish_equal(cluster, seconds(600)), "") << replay(seed);
  }
}

std::uint64_t backlog_of(const SimCluster& cluster, const SimNode& node) {
  const auto server = cluster.server_process(node);
  if (server == nullptr) return 0;
  std::uint64_t most = 0;
  for (const HeldShard& held : server->held_shards()) most = std::max(most, held.learner_backlog);
  return most;
}

TEST(SlowCopies, WhatALearnerLacksTakesBoundedMemory) {
  const SeedRange seeds(1, 12);
  std::uint64_t begun_anew = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = two_copies(seed);
    options.rare.catch_up_rate = 2000;
    options.rare.learner_backlog_bytes = 3000;
    SimCluster cluster(seed, options);
    SimWorld& world = cluster.world();
    world.run_until([&] { return cluster.findings().computed >= 10; }, seconds(60));
    cluster.crash(cluster.server(seed % 2), SimWorld::Crash::kProcess);
    cluster.restart(cluster.server(seed % 2));
    const SimNode& teacher = cluster.server(1 - seed % 2);
    std::uint64_t most = 0;
    world.run_until(
        [&] {
          const std::uint64_t now = backlog_of(cluster, teacher);
          begun_anew += now < most && now == 0 ? 1 : 0;
          most = std::max(most, now);
          return cluster.ended();
        },
        seconds(30));
    constexpr std::uint64_t kRecord = 2000;  // the last, which is one too many
    EXPECT_LE(most, options.rare.learner_backlog_bytes + kRecord) << replay(seed);
    ASSERT_EQ(must_finish(cluster, seconds(600)), "") << replay(seed);
  }
  EXPECT_GT(begun_anew, 0U);
}

TEST(SlowCopies, AllThatLearnersAreSentKeepsWithinTheRate) {
  const SeedRange seeds(1, 6);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = two_copies(seed);
    constexpr std::uint64_t kRate = 4000;
    options.rare.catch_up_rate = kRate;
    SimCluster cluster(seed, options);
    SimWorld& world = cluster.world();
    world.run_until([&] { return cluster.findings().computed >= 10; }, seconds(60));
    cluster.crash(cluster.server(1), SimWorld::Crash::kProcess);
    cluster.restart(cluster.server(1));
    world.run_until([&] { return cluster.ended() || !is_whole(cluster); }, seconds(30));
    std::uint64_t bytes = 0;
    for (const HeldShard& held : cluster.server_process(cluster.server(0))->held_shards())
      bytes += held.rows->save_all().size();
    const Duration begun = world.elapsed();
    world.run_until([&] { return cluster.ended() || is_whole(cluster); }, seconds(300));
    ASSERT_FALSE(cluster.ended()) << replay(seed);
    const double took = std::chrono::duration<double>(world.elapsed() - begun).count();
    EXPECT_GE(took, 0.8 * static_cast<double>(bytes) / kRate) << replay(seed);
    ASSERT_EQ(must_finish_equal(cluster, seconds(600)), "") << replay(seed);
  }
}

}  // namespace
}  // namespace capstan
