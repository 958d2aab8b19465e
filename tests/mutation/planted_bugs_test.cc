// Each rule of the protocol is switched off in turn: the simulator's checks must notice within some seeds,
// and must pass the same seeds with the rule on. docs/TESTING.md has the table.
#include "common/planted_bugs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "sim/campaign.h"
#include "tests/sim/lone_server.h"
#include "tests/sim/scenario.h"
#include "tests/sim/stragglers.h"
#include "tests/sim/two_schedulers.h"

namespace capstan {
namespace {

PlantedBug the_bug = PlantedBug::kNone;

class Planted {
 public:
  explicit Planted(PlantedBug bug) { the_bug = bug; }
  ~Planted() { the_bug = PlantedBug::kNone; }
  Planted(const Planted&) = delete;
  Planted& operator=(const Planted&) = delete;
};

}  // namespace

bool planted(PlantedBug bug) {
  return bug == the_bug;
}

namespace {

// What is wrong in the end; empty: nothing.
using Scene = std::function<std::string(std::uint64_t seed)>;

std::string in_trouble(std::uint64_t seed, Consistency consistency) {
  SimCluster cluster(seed, small_world(seed, consistency));
  make_trouble(cluster, TroubleOptions{}, seconds(40));
  return must_finish_right(cluster, seconds(300));
}

// In sync a cut is made some steps ahead: the pass must be longer than that.
ClusterOptions with_checkpoints(std::uint64_t seed, Consistency consistency) {
  ClusterOptions options = small_world(seed, consistency);
  options.checkpoint_every_steps = 5;
  if (consistency == Consistency::kSync) options.shape.batches += 24;
  return options;
}

bool has_checkpoint(const SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process != nullptr && !process->job().facts().checkpoints.empty();
}

// False: the job ended first.
bool goes_on_until(SimCluster& cluster, const std::function<bool()>& happened) {
  cluster.world().run_until([&] { return cluster.ended() || happened(); }, seconds(300));
  return !cluster.ended();
}

// The cluster dies some time after its first checkpoint; others go on from there.
std::string resumed(std::uint64_t seed, Consistency consistency) {
  SimCluster cluster(seed, with_checkpoints(seed, consistency));
  SimWorld& world = cluster.world();
  goes_on_until(cluster, [&] { return has_checkpoint(cluster); });
  world.run_until([&] { return cluster.ended(); },
                  milliseconds(static_cast<std::int64_t>(world.rng().below(400))));
  if (cluster.ended()) return "";
  cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, seconds(300));
}

// Some items have been taken over beyond the checkpoint when the servers die: their holders know no batch
// before the one that they began with.
std::string resumed_after_a_change_of_holders(std::uint64_t seed) {
  ClusterOptions options = with_checkpoints(seed, Consistency::kAsync);
  options.workers = std::max(options.workers, 2U);
  options.shape.partitions = std::max(options.shape.partitions, 2U);
  options.shape.batches += 10;
  SimCluster cluster(seed, options);
  if (!goes_on_until(cluster, [&] { return has_checkpoint(cluster); })) return "";
  cluster.crash(cluster.worker(0), SimWorld::Crash::kProcess);
  cluster.restart(cluster.worker(0));
  const std::uint64_t computed = cluster.findings().computed + 2 + seed % 12;
  if (!goes_on_until(cluster, [&] { return cluster.findings().computed >= computed; })) return "";
  cluster.crash_all_but_workers_and_resume(2);
  TroubleOptions trouble;
  trouble.worker_crashes = false;
  make_trouble(cluster, trouble, seconds(20));
  // They may have pulled rows that were not restored yet: what they make of them must not count.
  cluster.findings().wrong.clear();
  return must_finish_right(cluster, seconds(300));
}

// Checkpoints that are small beside their base: each holds what changed since the one before.
ClusterOptions with_increments(std::uint64_t seed, Consistency consistency) {
  ClusterOptions options = with_checkpoints(seed, consistency);
  options.shape.keys = 300;
  options.shape.batches += 20;
  options.checkpoint_every_steps = 3;
  return options;
}

// The cluster dies with a checkpoint that builds on another; others go on from there.
std::string resumed_from_increment(std::uint64_t seed) {
  ClusterOptions options = with_increments(seed, Consistency::kSync);
  options.shape.evicts = true;
  SimCluster cluster(seed, options);
  const auto builds = [&] {
    const auto process = cluster.scheduler_process();
    if (cluster.ended()) return true;
    return process != nullptr && !process->job().facts().checkpoints.empty() &&
           process->job().facts().checkpoints.back().builds_on != 0;
  };
  cluster.world().run_until(builds, seconds(300));
  if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, seconds(300));
}

// The servers' disks fail for some checkpoints.
std::string with_failed_checkpoints(std::uint64_t seed) {
  ClusterOptions options = with_increments(seed, Consistency::kAsync);
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  const auto warned = [&](std::size_t times) {
    const auto process = cluster.scheduler_process();
    return cluster.ended() || (process != nullptr && process->job().facts().warnings.size() >= times);
  };
  const auto kept = [&](std::uint64_t number) {
    const auto process = cluster.scheduler_process();
    return cluster.ended() || (process != nullptr && !process->job().facts().checkpoints.empty() &&
                               process->job().facts().checkpoints.back().checkpoint >= number);
  };
  SimDisk& disk = cluster.server(0).disk();
  disk.set_faulty_paths(".rows");
  cluster.world().run_until([&] { return kept(1 + seed % 3); }, seconds(300));
  disk.fail_next_syncs(1000);
  cluster.world().run_until([&] { return warned(1); }, seconds(300));
  disk.fail_next_syncs(0);
  const std::uint64_t next = 3 + seed % 3;
  cluster.world().run_until([&] { return kept(next); }, seconds(300));
  if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, seconds(300));
}

// A server joins and gets its share while checkpoints are made.
std::string joined_between_increments(std::uint64_t seed) {
  ClusterOptions options = with_increments(seed, kModes[seed % 3]);
  options.servers = 2;
  options.shape.batches += 60;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  cluster.world().run_until([&] { return cluster.findings().computed >= 10; }, seconds(60));
  cluster.add_server();
  cluster.world().run_for(milliseconds(static_cast<std::int64_t>(2000 + cluster.world().rng().below(4000))));
  if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, seconds(300));
}

// With the scheduler dying too.
std::string recovered(std::uint64_t seed) {
  SimCluster cluster(seed, small_world(seed, Consistency::kAsync));
  TroubleOptions trouble;
  trouble.scheduler_crashes = true;
  make_trouble(cluster, trouble, seconds(40));
  return must_finish(cluster, seconds(120));
}

// The scheduler hears nobody for longer than a lease, then one server before the others.
std::string heard_again_one_by_one(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.servers = 3;
  options.replicas = 2;
  options.shape.batches += 60;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.findings().computed >= 5; }, seconds(60));
  for (std::size_t n = 0; n < 3; ++n) {
    world.partition_one_way(cluster.server(n), cluster.scheduler());
    world.partition_one_way(cluster.scheduler(), cluster.server(n));
  }
  world.run_for(seconds(2));
  for (std::size_t n = 0; n < 3; ++n) {
    world.heal(cluster.server((seed + n) % 3), cluster.scheduler());
    const Duration until = world.elapsed() + milliseconds(700);
    const auto look = [&] {
      if (const std::string two = cluster.check_owners(); !two.empty()) cluster.findings().report(two);
      return world.elapsed() >= until;
    };
    world.run_until(look, seconds(2));
  }
  return must_finish(cluster, seconds(300));
}

// A server joins a calm job and gets its share of the shards.
std::string joined(std::uint64_t seed, std::uint32_t replicas, bool checkpoints) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = 2;
  options.replicas = replicas;
  options.shape.batches += 80;
  options.sim.network = NetworkOptions{};
  if (checkpoints) options.checkpoint_every_steps = 5;
  SimCluster cluster(seed, options);
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 10; }, seconds(60));
  cluster.add_server();
  if (checkpoints) {
    SimWorld& world = cluster.world();
    world.run_for(milliseconds(static_cast<std::int64_t>(2000 + world.rng().below(4000))));
    if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  } else {
    watch_owners(
        cluster, [] { return false; }, seconds(300));
  }
  return must_finish_equal(cluster);
}

// A primary dies.
std::string taken_over(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2;
  options.shape.batches += 40;
  SimCluster cluster(seed, options);
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 5; }, seconds(60));
  cluster.crash(cluster.server(seed % 2), SimWorld::Crash::kProcess);
  return must_finish(cluster, seconds(300));
}

void must_find(PlantedBug bug, std::uint64_t seeds_max, const Scene& scene) {
  std::uint64_t seed = 1;
  std::string found;
  for (; seed <= seeds_max && found.empty(); ++seed) {
    const Planted planted(bug);
    found = scene(seed);
  }
  EXPECT_NE(found, "") << "nothing was noticed in " << seeds_max << " seeds";
  if (found.empty()) return;
  std::printf("found in seed %d: %s\n", static_cast<int>(seed - 1), found.substr(0, 120).c_str());
  for (std::uint64_t clean = 1; clean < seed; ++clean) {
    EXPECT_EQ(scene(clean), "") << "without the bug, seed " << clean;
  }
}

TEST(PlantedBugs, TermsNotFenced) {
  must_find(PlantedBug::kTermsNotFenced, 200, resumed_after_a_change_of_holders);
}

TEST(PlantedBugs, GapsAccepted) {
  must_find(PlantedBug::kGapsAccepted, 20,
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, DuplicatesApplied) {
  must_find(PlantedBug::kDuplicatesApplied, 20,
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, SlotsInOrderOfArrival) {
  must_find(PlantedBug::kSlotsInOrderOfArrival, 20,
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kSync); });
}

TEST(PlantedBugs, ResentSlicesChange) {
  must_find(PlantedBug::kResentSlicesChange, 20,
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, StalenessOneMore) {
  must_find(PlantedBug::kStalenessOneMore, 50,
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kBounded); });
}

TEST(PlantedBugs, CopiesWithoutClock) {
  must_find(PlantedBug::kCopiesWithoutClock, 50, [](std::uint64_t seed) {
    ClusterOptions options = small_world(seed, Consistency::kBounded);
    options.replicas = 2;
    options.servers = 2;
    options.pull_copies = true;
    SimCluster cluster(seed, options);
    make_trouble(cluster, TroubleOptions{}, seconds(40));
    return must_finish_right(cluster, seconds(300));
  });
}

TEST(PlantedBugs, WatermarkSkipsGaps) {
  must_find(PlantedBug::kWatermarkSkipsGaps, 50,
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, CutReadsCursorsLate) {
  must_find(PlantedBug::kCutReadsCursorsLate, 100,
            [](std::uint64_t seed) { return resumed(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, BreaksItsPromise) {
  must_find(PlantedBug::kBreaksItsPromise, 50, heard_again_one_by_one);
}

TEST(PlantedBugs, SnapshotWithoutStreams) {
  must_find(PlantedBug::kSnapshotWithoutStreams, 100,
            [](std::uint64_t seed) { return resumed(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, DeltaWithoutRemovals) {
  must_find(PlantedBug::kDeltaWithoutRemovals, 20, resumed_from_increment);
}

TEST(PlantedBugs, DeltaOfFailedCheckpoint) {
  must_find(PlantedBug::kDeltaOfFailedCheckpoint, 50, with_failed_checkpoints);
}

TEST(PlantedBugs, DeltaOfUnknownBase) {
  must_find(PlantedBug::kDeltaOfUnknownBase, 50, joined_between_increments);
}

TEST(PlantedBugs, TermsStartAnew) {
  must_find(PlantedBug::kTermsStartAnew, 50, recovered);
}

// What is left of a failed campaign's faults is what its bug needs.
TEST(PlantedBugs, AFailedCampaignIsShrunkToTheFaultThatMatters) {
  const Planted planted(PlantedBug::kTermsStartAnew);
  CampaignRun failed;
  for (std::uint64_t seed = 1; seed <= 20 && failed.wrong.empty(); ++seed) failed = run_campaign(seed);
  ASSERT_NE(failed.wrong, "");
  const std::vector<Fault> rest = shrink(failed);
  EXPECT_LE(rest.size(), 3U);
  EXPECT_NE(run_campaign(failed.seed, rest).wrong, "");
  const auto restarts = [](const Fault& fault) { return fault.kind == FaultKind::kCrashScheduler; };
  EXPECT_TRUE(std::any_of(rest.begin(), rest.end(), restarts));
}

TEST(PlantedBugs, ServesAfterHandover) {
  must_find(PlantedBug::kServesAfterHandover, 20, [](std::uint64_t seed) { return joined(seed, 1, false); });
}

TEST(PlantedBugs, HandsOverUndrained) {
  must_find(PlantedBug::kHandsOverUndrained, 50, [](std::uint64_t seed) { return joined(seed, 2, false); });
}

TEST(PlantedBugs, MovesWithoutTail) {
  must_find(PlantedBug::kMovesWithoutTail, 20, [](std::uint64_t seed) { return joined(seed, 1, false); });
}

TEST(PlantedBugs, CountsLearnersEarly) {
  must_find(PlantedBug::kCountsLearnersEarly, 100,
            [](std::uint64_t seed) { return servers_change_in_trouble(seed, 2, false); });
}

TEST(PlantedBugs, HandsOverDuringCut) {
  must_find(PlantedBug::kHandsOverDuringCut, 100, [](std::uint64_t seed) { return joined(seed, 1, true); });
}

TEST(PlantedBugs, GivesWhatItPromised) {
  must_find(PlantedBug::kGivesWhatItPromised, 100,
            [](std::uint64_t seed) { return servers_change_in_trouble(seed, 2, false); });
}

TEST(PlantedBugs, MembersGoUnknown) {
  must_find(PlantedBug::kMembersGoUnknown, 100,
            [](std::uint64_t seed) { return servers_change_in_trouble(seed, 2, false); });
}

TEST(PlantedBugs, EpochsAreReused) {
  must_find(PlantedBug::kEpochsAreReused, 20, taken_over);
}

TEST(PlantedBugs, AppendsWithoutLeading) {
  must_find(PlantedBug::kAppendsWithoutLeading, 100,
            [](std::uint64_t seed) { return led_in_turn(seed, {.drops = true}); });
}

TEST(PlantedBugs, SplitsUnconfirmed) {
  must_find(PlantedBug::kSplitsUnconfirmed, 20, helped);
}

TEST(PlantedBugs, StreamsOfItems) {
  must_find(PlantedBug::kStreamsOfItems, 20, rebuilt_after_a_split);
}

// A server that the scheduler no longer hears must stop by itself before another may take its shards.
class ServesAfterLease : public LoneServer {
 protected:
  std::string silent_for_long() {
    begin();
    renews = false;
    world.run_for(seconds(6));
    return status_of(push_of(0, 1, {1.0F, 1.0F})) == SliceStatus::kStale ? "" : "it serves without a lease";
  }
};

TEST_F(ServesAfterLease, IsNoticed) {
  const Planted planted(PlantedBug::kServesAfterLease);
  EXPECT_NE(silent_for_long(), "");
}

TEST_F(ServesAfterLease, DoesNotHappen) {
  EXPECT_EQ(silent_for_long(), "");
}

}  // namespace
}  // namespace capstan
