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
  return cluster.read_rows("model", 2);
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
