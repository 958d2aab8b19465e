// A checkpoint that fails costs nothing: the last good one stays, training goes on, and the cluster can go on
// from it.
#include <gtest/gtest.h>

#include "scheduler/manifest.h"
#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;

ClusterOptions world_of(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, seed % 2 == 0 ? Consistency::kAsync : Consistency::kBounded);
  options.checkpoint_every_steps = 6;
  options.sim.network = NetworkOptions{};
  return options;
}

std::size_t warnings(SimCluster& cluster) {
  return cluster.scheduler_process()->job().facts().warnings.size();
}

// The servers' files fail, the scheduler's journal does not.
void let_servers_fail(SimCluster& cluster, std::uint64_t seed) {
  SimDisk& disk = cluster.server(0).disk();
  disk.set_faulty_paths(".rows");
  if (seed % 3 == 0) {
    disk.set_capacity(0);
  } else if (seed % 3 == 1) {
    disk.fail_next_syncs(1000);
  } else {
    disk.fail_next_writes(1000);
  }
}

void repair(SimCluster& cluster) {
  SimDisk& disk = cluster.server(0).disk();
  disk.set_capacity(~std::uint64_t{0});
  disk.fail_next_syncs(0);
  disk.fail_next_writes(0);
}

bool has_checkpoint(SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process != nullptr && !process->job().facts().checkpoints.empty();
}

TEST(DiskFaults, AFailedCheckpointKeepsTheLastGoodOne) {
  const SeedRange seeds(1, 30);
  std::size_t failed = 0, resumed = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, world_of(seed));
    SimWorld& world = cluster.world();
    ASSERT_TRUE(world.run_until([&] { return cluster.ended() || has_checkpoint(cluster); }, seconds(300)));
    let_servers_fail(cluster, seed);
    world.run_until([&] { return cluster.ended() || warnings(cluster) > 0; }, seconds(300));
    if (cluster.ended()) continue;
    ++failed;
    EXPECT_TRUE(has_checkpoint(cluster)) << replay(seed);
    repair(cluster);
    if (seed % 2 == 0) {
      cluster.crash_all_and_resume(2, 2);
      ++resumed;
    }
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
  }
  EXPECT_GT(failed, (seeds.end - seeds.first) / 4);
  EXPECT_GT(resumed, 0U);
}

// What a checkpoint is restored from may come back with a bit that is not as it was written, in rows or in a
// manifest: the one before is good enough.
TEST(DiskFaults, ARottenBitCostsACheckpointAndNothingElse) {
  const SeedRange seeds(1, 60);
  std::size_t rotten = 0, fell_back = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = world_of(seed);
    options.checkpoint_full_every = 1 + static_cast<std::uint32_t>(seed % 2);
    options.checkpoint_keep = 3;
    SimCluster cluster(seed, options);
    const auto kept = [&]() -> std::size_t {
      const auto process = cluster.scheduler_process();
      return process == nullptr ? 0 : process->job().facts().checkpoints.size();
    };
    cluster.world().run_until([&] { return cluster.ended() || kept() >= 3; }, seconds(300));
    if (cluster.ended()) continue;
    const std::uint64_t newest = cluster.scheduler_process()->job().facts().checkpoints.back().checkpoint;
    SimDisk& disk = cluster.server(0).disk();
    disk.set_faulty_paths(seed % 2 == 0 ? ".rows" : "MANIFEST");
    disk.rot_next_reads(1);
    cluster.crash_all_and_resume(2, 2);
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
    rotten += disk.rotten_reads() == 0 ? 1 : 0;
    const std::string& from = cluster.scheduler_process()->job().facts().resumed_from;
    fell_back += from.ends_with(std::to_string(newest)) ? 0 : 1;
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(rotten, (seeds.end - seeds.first) / 3);
    EXPECT_GT(fell_back, rotten / 2);
  }
}

}  // namespace
}  // namespace capstan
