// Whatever happens to workers and messages, every slice of every pass counts exactly once.
#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;

void run(Consistency consistency, std::uint64_t first, std::uint64_t count) {
  const SeedRange seeds(first, count);
  double virtual_seconds = 0.0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, small_world(seed, consistency));
    make_trouble(cluster, TroubleOptions{}, seconds(40));
    const std::string wrong = must_finish(cluster, seconds(300));
    ASSERT_EQ(wrong, "") << replay(seed);
    virtual_seconds += std::chrono::duration<double>(cluster.world().elapsed()).count();
  }
  ::testing::Test::RecordProperty("virtual_seconds", std::to_string(virtual_seconds));
}

TEST(ExactlyOnce, AsyncJobsInPeace) {
  const SeedRange seeds(1, 20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = small_world(seed, Consistency::kAsync);
    options.sim.network = NetworkOptions{};
    SimCluster cluster(seed, options);
    ASSERT_EQ(must_finish(cluster, seconds(300)), "") << replay(seed);
  }
}

TEST(ExactlyOnce, AsyncJobsInTrouble) {
  run(Consistency::kAsync, 1, 200);
}
TEST(ExactlyOnce, BoundedJobsInTrouble) {
  run(Consistency::kBounded, 1, 200);
}

TEST(ExactlyOnce, ASeedReplaysExactly) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::uint64_t hashes[2] = {};
    for (std::uint64_t& hash : hashes) {
      SimCluster cluster(seed, small_world(seed, Consistency::kAsync));
      make_trouble(cluster, TroubleOptions{}, seconds(40));
      EXPECT_EQ(must_finish(cluster, seconds(300)), "");
      hash = cluster.world().trace_hash();
    }
    EXPECT_EQ(hashes[0], hashes[1]) << "seed " << seed;
  }
}

}  // namespace
}  // namespace capstan
