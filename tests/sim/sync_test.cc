// In sync mode every step is computed from exactly the steps before it, so the rows come out the same to the
// bit with any number of workers and servers, and whatever happens to them on the way.
#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;
using Rows = std::map<Key, std::vector<float>>;

ClusterOptions world_of(std::uint64_t seed, std::uint32_t servers, std::uint32_t workers) {
  ClusterOptions options = small_world(seed, Consistency::kSync);
  options.servers = servers;
  options.workers = workers;
  options.sim.network = NetworkOptions{};
  return options;
}

Rows model_rows(SimCluster& cluster) {
  return cluster.read_rows("model");
}

TEST(Sync, TheResultDoesNotDependOnTheShapeOfTheCluster) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Rows first;
    for (const auto& [servers, workers] : {std::pair{1U, 1U}, {1U, 3U}, {3U, 1U}, {3U, 4U}}) {
      SimCluster cluster(combine(seed, servers, workers), world_of(seed, servers, workers));
      ASSERT_EQ(must_finish(cluster, seconds(300)), "") << "seed " << seed;
      const Rows rows = model_rows(cluster);
      if (first.empty()) first = rows;
      EXPECT_EQ(rows, first) << "seed " << seed << ", " << servers << " servers, " << workers << " workers";
    }
    EXPECT_GT(first.size(), 10U);
  }
}

TEST(Sync, ADeadWorkerLeavesTheBarrierWithinItsLeaseAndASecond) {
  const SeedRange seeds(1, 12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = world_of(seed, 2, 3);
    options.shape.batches = 400;
    SimCluster cluster(seed, options);
    SimWorld& world = cluster.world();
    const auto computed = [&] { return cluster.findings().computed; };
    ASSERT_TRUE(world.run_until([&] { return computed() >= 20 + seed; }, seconds(60))) << replay(seed);
    world.crash(cluster.worker(seed % 3), SimWorld::Crash::kProcess);
    const Duration begin = world.elapsed();
    const std::uint64_t some =
        computed() + std::uint64_t{8} * options.shape.partitions;  // steps of all of them
    ASSERT_TRUE(world.run_until([&] { return computed() >= some; }, seconds(60))) << replay(seed);
    EXPECT_LE(world.elapsed() - begin, std::chrono::milliseconds(options.lease_ms) + seconds(1))
        << replay(seed);
    ASSERT_EQ(must_finish_right(cluster, seconds(600)), "") << replay(seed);
  }
}

TEST(Sync, TroubleDoesNotChangeTheResult) {
  const SeedRange seeds(1, 60);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, small_world(seed, Consistency::kSync));
    make_trouble(cluster, TroubleOptions{}, seconds(60));
    ASSERT_EQ(must_finish_right(cluster, seconds(300)), "") << replay(seed);
  }
}

}  // namespace
}  // namespace capstan
