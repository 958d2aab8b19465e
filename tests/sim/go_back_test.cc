// All copies of a shard are lost, and the job goes back to its newest checkpoint by itself, beside workers
// and servers that live on.
#include <gtest/gtest.h>

#include "sim/faults.h"
#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions a_world(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.shape.batches += 24;  // in sync a cut is made some steps ahead
  options.replicas = 1 + static_cast<std::uint32_t>(seed / 3 % 2);
  options.servers = std::max(options.servers, options.replicas);
  options.shape.evicts = seed % 4 < 2;
  options.checkpoint_every_steps = 4 + seed % 8;
  return options;
}

// Some seconds apart; those of shards that are lost already, or of a job without a checkpoint, do not happen.
std::vector<Fault> losses(std::uint64_t seed) {
  Rng rng(combine(seed, 17));
  std::vector<Fault> faults;
  for (int n = 0; n < 12; ++n) {
    Fault fault;
    fault.at = milliseconds(500 + 700 * n + static_cast<std::int64_t>(rng.below(700)));
    fault.lasts = milliseconds(1 + static_cast<std::int64_t>(rng.below(4000)));
    fault.kind = FaultKind::kLastCopyDies;
    fault.a = static_cast<std::uint32_t>(rng.below(64));
    fault.hard = rng.chance(0.5);
    faults.push_back(fault);
  }
  return faults;
}

TEST(GoBack, EveryBatchCountsOnceHoweverOftenAllCopiesOfAShardAreLost) {
  const SeedRange seeds(1, 120);
  std::uint64_t times = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, a_world(seed));
    play(cluster, losses(seed));
    ASSERT_EQ(must_finish_equal(cluster, seconds(300)), "") << replay(seed);
    times += cluster.scheduler_process()->job().facts().generation - 1;  // nothing else raises it here
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(times, seeds.end - seeds.first);
  }
}

}  // namespace
}  // namespace capstan
