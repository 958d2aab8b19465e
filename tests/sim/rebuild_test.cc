// The scheduler dies and its journal is lost: another one goes on from what the servers say and the last
// checkpoint, and nothing acknowledged is lost or doubled.
#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ClusterOptions world_of(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.replicas = 1 + static_cast<std::uint32_t>(seed / 3 % 2);
  options.servers = std::max(options.servers, options.replicas);
  options.shape.batches += 30;
  options.lease_ms = 2000;
  if (seed % 4 != 0) options.checkpoint_every_steps = 4 + seed % 9;
  return options;
}

// Somewhere in the job, and a little further.
bool come_to_some_point(SimCluster& cluster, std::uint64_t computed) {
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.ended() || cluster.findings().computed >= computed; }, seconds(300));
  world.run_until([&] { return cluster.ended(); },
                  milliseconds(static_cast<std::int64_t>(world.rng().below(700))));
  return !cluster.ended();
}

TEST(Rebuild, AJobWithoutAJournalGoesOn) {
  const SeedRange seeds(1, 120);
  std::uint64_t rebuilt = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, world_of(seed));
    if (!come_to_some_point(cluster, cluster.world().rng().below(120))) continue;
    const auto process = cluster.scheduler_process();
    if (process == nullptr || process->job().map().empty()) continue;  // nothing is held yet
    cluster.rebuild_without_journal();
    ++rebuilt;
    TroubleOptions trouble;
    trouble.partitions = seed % 2 == 0;
    make_trouble(cluster, trouble, seconds(30));
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(rebuilt, (seeds.end - seeds.first) / 2);
  }
}

// Somebody starts the scheduler without a journal beside nodes that live: it stops, and nothing is lost by
// it.
TEST(Rebuild, AFalseStartLeavesEverythingAsItWas) {
  const SeedRange seeds(1, 60);
  std::uint64_t started = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SimCluster cluster(seed, world_of(seed));
    if (!come_to_some_point(cluster, cluster.world().rng().below(120))) continue;
    const auto process = cluster.scheduler_process();
    if (process == nullptr || process->job().map().empty()) continue;
    cluster.start_without_journal(seed % 2 == 0 ? StartMode::kNew : StartMode::kRecover);
    ++started;
    TroubleOptions trouble;
    trouble.scheduler_crashes = true;
    trouble.partitions = seed % 2 == 0;
    make_trouble(cluster, trouble, seconds(30));
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
    EXPECT_FALSE(cluster.starts_falsely()) << replay(seed);
  }
  if (seeds.end - seeds.first > 10) {
    EXPECT_GT(started, (seeds.end - seeds.first) / 2);
  }
}

// Servers come and go while it is lost, so that some know newer chains than others.
TEST(Rebuild, TheNewestChainsCount) {
  const SeedRange seeds(1, 60);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = world_of(seed);
    options.replicas = 2;
    options.servers = 3;
    options.shape.batches += 60;
    SimCluster cluster(seed, options);
    if (!come_to_some_point(cluster, 10 + cluster.world().rng().below(60))) continue;
    cluster.add_server();
    if (seed % 2 == 0) drain_soon(cluster, cluster.server(0));
    if (!come_to_some_point(cluster, cluster.findings().computed + 20)) continue;
    if (cluster.scheduler_process() == nullptr) continue;
    cluster.rebuild_without_journal();
    cluster.world().set_faults(false);
    ASSERT_EQ(must_finish_equal(cluster, seconds(600)), "") << replay(seed);
  }
}

// A server died with the scheduler: the operator says so, and its backups go on.
TEST(Rebuild, WithoutAServerThatIsGone) {
  const SeedRange seeds(1, 40);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = world_of(seed);
    options.replicas = 2;
    options.servers = 3;
    SimCluster cluster(seed, options);
    if (!come_to_some_point(cluster, 10 + cluster.world().rng().below(60))) continue;
    if (!cluster.can_lose(cluster.server(1))) continue;
    cluster.crash(cluster.server(1), SimWorld::Crash::kPower);
    cluster.rebuild_without_journal({"ps-1"});
    cluster.world().set_faults(false);
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

}  // namespace
}  // namespace capstan
