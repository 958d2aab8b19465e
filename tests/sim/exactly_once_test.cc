// Whatever happens to workers and messages, every slice of every pass counts exactly once.
#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;

// Small worlds of different shapes.
ClusterOptions options_of(std::uint64_t seed, Consistency consistency) {
  Rng rng(combine(seed, 99));
  ClusterOptions options;
  options.consistency = consistency;
  options.staleness = 2;
  options.shape.seed = seed;
  options.servers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.workers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.shape.partitions = 1 + static_cast<std::uint32_t>(rng.below(5));
  options.shape.batches = 6 + static_cast<std::uint32_t>(rng.below(10));
  options.pipeline_depth = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.push_window = 1 + static_cast<std::uint32_t>(rng.below(4));
  options.sim.network = unkind_network();
  return options;
}

void run(Consistency consistency, std::uint64_t first, std::uint64_t count) {
  const SeedRange seeds(first, count);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, options_of(seed, consistency));
    make_trouble(cluster, TroubleOptions{}, seconds(40));
    const std::string wrong = must_finish(cluster, seconds(300));
    ASSERT_EQ(wrong, "") << replay(seed);
  }
}

TEST(ExactlyOnce, AsyncJobsInPeace) {
  const SeedRange seeds(1, 20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = options_of(seed, Consistency::kAsync);
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
