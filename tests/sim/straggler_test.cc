// A slow worker's items are split, and every batch counts once, whatever dies meanwhile.
#include <gtest/gtest.h>

#include "tests/sim/stragglers.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Most of the worlds must have split something, or the test tells nothing.
class Splits {
 public:
  explicit Splits(const SeedRange& seeds) : worlds_(seeds.end - seeds.first) {}
  ~Splits() {
    if (worlds_ > 10) {
      EXPECT_GT(with_, worlds_ / 2);
    }
  }
  Splits(const Splits&) = delete;
  Splits& operator=(const Splits&) = delete;
  void count(SimCluster& cluster) { with_ += splits(cluster) > 0 ? 1 : 0; }

 private:
  std::uint64_t worlds_, with_ = 0;
};

TEST(Stragglers, AreHelpedInPeace) {
  const SeedRange seeds(1, 20);
  Splits some(seeds);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = slow_world(seed);
    options.sim.network = NetworkOptions{};
    SimCluster cluster(seed, options);
    ASSERT_EQ(must_finish(cluster, seconds(300)), "") << replay(seed);
    some.count(cluster);
  }
}

TEST(Stragglers, AreHelpedInTrouble) {
  const SeedRange seeds(1, 150);
  Splits some(seeds);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, slow_world(seed));
    TroubleOptions trouble;
    trouble.scheduler_crashes = seed % 2 == 0;
    trouble.server_crashes = seed % 3 == 0;
    make_trouble(cluster, trouble, seconds(40));
    ASSERT_EQ(must_finish(cluster, seconds(300)), "") << replay(seed);
    some.count(cluster);
  }
}

// Comes to some moment after the first split; false: there was none, or the job has ended.
bool come_behind_a_split(SimCluster& cluster) {
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.ended() || splits(cluster) > 0; }, seconds(300));
  world.run_until([&] { return cluster.ended(); },
                  milliseconds(static_cast<std::int64_t>(world.rng().below(2500))));
  return !cluster.ended() && cluster.scheduler_process() != nullptr;
}

bool has_checkpoint(SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process != nullptr && !process->job().facts().checkpoints.empty();
}

// Checkpoints of before the split and after it.
TEST(Stragglers, AClusterThatDiesGoesOnFromACheckpoint) {
  const SeedRange seeds(1, 90);
  std::uint64_t resumed = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = slow_world(seed);
    options.checkpoint_every_steps = 5 + seed % 60;
    SimCluster cluster(seed, options);
    if (!come_behind_a_split(cluster) || !has_checkpoint(cluster)) continue;
    ++resumed;
    cluster.world().set_faults(true);
    if (seed % 3 == 0) {
      cluster.crash_all_but_workers_and_resume(1 + static_cast<std::uint32_t>(seed % 3));
    } else {
      cluster.crash_all_and_resume(1 + static_cast<std::uint32_t>(seed % 4), 2);
    }
    TroubleOptions trouble;
    trouble.scheduler_crashes = seed % 2 == 0;
    make_trouble(cluster, trouble, seconds(20));
    ASSERT_EQ(must_finish(cluster, seconds(300)), "") << replay(seed);
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(resumed, (seeds.end - seeds.first) / 3);
  }
}

TEST(Stragglers, AJobWithoutAJournalGoesOn) {
  const SeedRange seeds(1, 60);
  std::uint64_t rebuilt = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = slow_world(seed);
    options.lease_ms = 2000;
    if (seed % 3 != 0) options.checkpoint_every_steps = 10 + seed % 30;
    SimCluster cluster(seed, options);
    if (!come_behind_a_split(cluster)) continue;
    ++rebuilt;
    cluster.rebuild_without_journal();
    make_trouble(cluster, TroubleOptions{}, seconds(20));
    ASSERT_EQ(must_finish(cluster, seconds(300)), "") << replay(seed);
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(rebuilt, (seeds.end - seeds.first) / 3);
  }
}

}  // namespace
}  // namespace capstan
