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

}  // namespace
}  // namespace capstan
