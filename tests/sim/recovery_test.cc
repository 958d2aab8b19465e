// The scheduler dies and goes on from its journal; the whole cluster dies and goes on from a checkpoint.
#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Half of the worlds have tables so large that each checkpoint holds a small part of them; in some rows make
// room for others.
ClusterOptions with_checkpoints(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.checkpoint_every_steps = 5 + seed % 20;
  options.checkpoint_full_every = 1 + static_cast<std::uint32_t>(seed % 5);
  options.shape.evicts = seed % 4 < 2;
  if (seed % 2 == 0) {
    options.shape.keys = 300;
    options.checkpoint_every_steps = 3 + seed % 4;
  }
  // In sync a cut is made some steps ahead: the pass must be longer than that.
  if (options.consistency == Consistency::kSync) options.shape.batches += 24;
  return options;
}

TEST(Recovery, ASchedulerThatDiesGoesOnFromItsJournal) {
  const SeedRange seeds(1, 90);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = small_world(seed, kModes[seed % 3]);
    if (seed % 2 == 0) options = with_checkpoints(seed);
    SimCluster cluster(seed, options);
    TroubleOptions trouble;
    trouble.scheduler_crashes = true;
    make_trouble(cluster, trouble, seconds(40));
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
  }
}

TEST(Recovery, CheckpointsAreMadeInTrouble) {
  const SeedRange seeds(1, 60);
  std::uint64_t newest = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, with_checkpoints(seed));
    make_trouble(cluster, TroubleOptions{}, seconds(40));
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
    newest += cluster.scheduler_process()->job().facts().checkpoints.back().checkpoint;
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(newest, 2 * (seeds.end - seeds.first));
  }
}

// One of the first few.
bool has_checkpoint(SimCluster& cluster, std::uint64_t seed) {
  const auto process = cluster.scheduler_process();
  if (process == nullptr) return false;
  const auto& checkpoints = process->job().facts().checkpoints;
  return !checkpoints.empty() && checkpoints.back().checkpoint > seed % 5;
}

// The newest is put together from several.
bool builds(SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process != nullptr && !process->job().facts().checkpoints.empty() &&
         process->job().facts().checkpoints.back().builds_on != 0;
}

// Workers that still push for terms from before must not harm the restored rows.
TEST(Recovery, WorkersThatOutliveTheClusterAreFenced) {
  const SeedRange seeds(1, 90);
  std::uint64_t resumed = 0, built = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, with_checkpoints(seed));
    SimWorld& world = cluster.world();
    world.run_until([&] { return cluster.ended() || has_checkpoint(cluster, seed); }, seconds(300));
    world.run_until([&] { return cluster.ended(); },
                    milliseconds(static_cast<std::int64_t>(world.rng().below(400))));
    if (cluster.ended()) continue;
    ++resumed;
    built += builds(cluster);
    cluster.crash_all_but_workers_and_resume(1 + static_cast<std::uint32_t>(world.rng().below(4)));
    TroubleOptions trouble;
    trouble.worker_crashes = seed % 2 == 0;
    make_trouble(cluster, trouble, seconds(20));
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(resumed, (seeds.end - seeds.first) / 4);
    EXPECT_GT(built, resumed / 4) << "restored from changes";
  }
}

TEST(Recovery, AClusterThatDiesGoesOnFromItsLastCheckpointOnOtherNodes) {
  const SeedRange seeds(1, 90);
  std::uint64_t resumed = 0, built = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, with_checkpoints(seed));
    SimWorld& world = cluster.world();
    const bool kept =
        world.run_until([&] { return cluster.ended() || has_checkpoint(cluster, seed); }, seconds(300));
    ASSERT_TRUE(kept) << replay(seed);
    world.run_until([&] { return cluster.ended(); },
                    milliseconds(static_cast<std::int64_t>(world.rng().below(400))));
    if (cluster.ended()) continue;
    ++resumed;
    built += builds(cluster);
    world.set_faults(true);
    cluster.crash_all_and_resume(1 + static_cast<std::uint32_t>(world.rng().below(4)),
                                 1 + static_cast<std::uint32_t>(world.rng().below(3)));
    TroubleOptions trouble;
    trouble.scheduler_crashes = seed % 2 == 0;
    make_trouble(cluster, trouble, seconds(40));
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(resumed, (seeds.end - seeds.first) / 4);
    EXPECT_GT(built, resumed / 4) << "restored from changes";
  }
}

TEST(Recovery, AStandstillIsToldOf) {
  ClusterOptions options = small_world(1, Consistency::kAsync);
  options.servers = options.workers = 1;
  SimCluster cluster(1, options);
  SimWorld& world = cluster.world();
  ASSERT_TRUE(world.run_until([&] { return cluster.findings().computed >= 3; }, seconds(60)));
  world.partition(cluster.worker(0), cluster.server(0));
  const auto told = [&] {
    const auto& warnings = cluster.scheduler_process()->job().facts().warnings;
    return std::any_of(warnings.begin(), warnings.end(), [](const std::string& text) {
      return text.find("no batch has been finished for 6") != std::string::npos;
    });
  };
  world.run_for(seconds(50));
  EXPECT_FALSE(told());
  world.run_for(seconds(15));
  EXPECT_TRUE(told());
  world.heal();
  ASSERT_EQ(must_finish_right(cluster, kLongestJob), "");
}

}  // namespace
}  // namespace capstan
