// Whatever happens to workers and messages, every slice of every pass counts exactly once.
#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;

void run(Consistency consistency, std::uint64_t first, std::uint64_t count) {
  const SeedRange seeds(first, count);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, small_world(seed, consistency));
    make_trouble(cluster, TroubleOptions{}, seconds(40));
    const std::string wrong = must_finish(cluster, seconds(300));
    ASSERT_EQ(wrong, "") << replay(seed);
  }
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
  run(Consistency::kAsync, 1, 100);
}
TEST(ExactlyOnce, BoundedJobsInTrouble) {
  run(Consistency::kBounded, 1, 100);
}

}  // namespace
}  // namespace capstan
