// Each rule of the protocol is switched off in turn: the simulator's checks must notice within some seeds,
// and must pass the same seeds with the rule on. docs/TESTING.md has the table.
#include "common/planted_bugs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "sim/campaign.h"
#include "tests/mutation/copy_scenes.h"
#include "tests/mutation/rebuild_scenes.h"
#include "tests/mutation/scenes.h"
#include "tests/sim/direct_clients.h"
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

using Scene = std::function<std::string(std::uint64_t seed)>;

// By a check that says one of `words`.
void must_find(PlantedBug bug, std::uint64_t seeds_max, const std::vector<std::string>& words,
               const Scene& scene) {
  std::uint64_t seed = 1;
  std::string found;
  for (; seed <= seeds_max && found.empty(); ++seed) {
    const Planted planted(bug);
    found = scene(seed);
  }
  EXPECT_NE(found, "") << "nothing was noticed in " << seeds_max << " seeds";
  if (found.empty()) return;
  const auto is_said = [&](const std::string& each) { return found.find(each) != std::string::npos; };
  EXPECT_TRUE(std::any_of(words.begin(), words.end(), is_said)) << found;
  std::printf("found in seed %d: %s\n", static_cast<int>(seed - 1), found.substr(0, 120).c_str());
  for (std::uint64_t clean = 1; clean < seed; ++clean) {
    EXPECT_EQ(scene(clean), "") << "without the bug, seed " << clean;
  }
}

TEST(PlantedBugs, TermsNotFenced) {
  must_find(PlantedBug::kTermsNotFenced, 600, {"float 1 is", "updates were applied"},
            resumed_after_a_change_of_holders);
}

TEST(PlantedBugs, GapsAccepted) {
  must_find(PlantedBug::kGapsAccepted, 20, {"came before an earlier batch of its stream", "has seen"},
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, DuplicatesApplied) {
  must_find(PlantedBug::kDuplicatesApplied, 20, {"2 updates were applied, 1 batches are in it"},
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, SlotsInOrderOfArrival) {
  must_find(PlantedBug::kSlotsInOrderOfArrival, 20, {"the model is not the calm job's"},
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kSync); });
}

TEST(PlantedBugs, ResentSlicesChange) {
  must_find(PlantedBug::kResentSlicesChange, 20, {"came before an earlier batch of its stream"},
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, StalenessOneMore) {
  must_find(PlantedBug::kStalenessOneMore, 50, {"has not seen"},
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kBounded); });
}

TEST(PlantedBugs, CopiesWithoutClock) {
  must_find(PlantedBug::kCopiesWithoutClock, 50, {"has not seen"}, [](std::uint64_t seed) {
    ClusterOptions options = small_world(seed, Consistency::kBounded);
    options.replicas = 2;
    options.servers = 2;
    options.pull_copies = true;
    SimCluster cluster(seed, options);
    make_trouble(cluster, TroubleOptions{}, std::chrono::seconds(40));
    return must_finish_right(cluster, std::chrono::seconds(300));
  });
}

TEST(PlantedBugs, WatermarkSkipsGaps) {
  must_find(PlantedBug::kWatermarkSkipsGaps, 50, {"the report counts"},
            [](std::uint64_t seed) { return in_trouble(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, CutReadsCursorsLate) {
  must_find(PlantedBug::kCutReadsCursorsLate, 100,
            {"the watermark is", "came before an earlier batch of its stream"},
            [](std::uint64_t seed) { return resumed(seed, Consistency::kAsync); });
}

// What a checkpoint holds tells by itself, before anybody goes on from it.
TEST(PlantedBugs, CutReadsCursorsLateIsInTheCheckpoint) {
  must_find(PlantedBug::kCutReadsCursorsLate, 50, {"the watermark is"}, first_checkpoints);
}

// Nobody but the verdict looks for two owners, while it waits for the job's end.
TEST(PlantedBugs, TwoOwnersInPeaceAreSeen) {
  must_find(PlantedBug::kServesAfterHandover, 200, {"has two owners"}, joined_unwatched);
}

TEST(PlantedBugs, BreaksItsPromise) {
  must_find(PlantedBug::kBreaksItsPromise, 50, {"has two owners"}, heard_again_one_by_one);
}

TEST(PlantedBugs, SnapshotWithoutStreams) {
  must_find(PlantedBug::kSnapshotWithoutStreams, 100,
            {"the watermark is", "the job does not end", "updates were applied"},
            [](std::uint64_t seed) { return resumed(seed, Consistency::kAsync); });
}

TEST(PlantedBugs, DeltaWithoutRemovals) {
  must_find(PlantedBug::kDeltaWithoutRemovals, 20, {"table recent has"}, resumed_from_increment);
}

TEST(PlantedBugs, DeltaOfFailedCheckpoint) {
  must_find(PlantedBug::kDeltaOfFailedCheckpoint, 50, {"has not seen"}, with_failed_checkpoints);
}

TEST(PlantedBugs, DeltaOfUnknownBase) {
  must_find(PlantedBug::kDeltaOfUnknownBase, 50, {"has not seen"}, joined_between_increments);
}

TEST(PlantedBugs, TermsStartAnew) {
  must_find(PlantedBug::kTermsStartAnew, 50, {"the job does not end"}, recovered);
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
  // Only in a later generation do terms matter.
  const auto raises_generation = [](const Fault& fault) {
    return fault.kind == FaultKind::kCrashScheduler || fault.kind == FaultKind::kJournalIsLost ||
           fault.kind == FaultKind::kFalseStart || fault.kind == FaultKind::kLastCopyDies ||
           fault.kind == FaultKind::kAllDie;
  };
  EXPECT_TRUE(std::any_of(rest.begin(), rest.end(), raises_generation));
}

TEST(PlantedBugs, ServesAfterHandover) {
  must_find(PlantedBug::kServesAfterHandover, 20, {"has two owners"},
            [](std::uint64_t seed) { return joined(seed, 1, false); });
}

TEST(PlantedBugs, HandsOverUndrained) {
  must_find(PlantedBug::kHandsOverUndrained, 50, {"holds other bytes"},
            [](std::uint64_t seed) { return joined(seed, 2, false); });
}

TEST(PlantedBugs, MovesWithoutTail) {
  must_find(PlantedBug::kMovesWithoutTail, 20, {"the job does not end"},
            [](std::uint64_t seed) { return joined(seed, 1, false); });
}

TEST(PlantedBugs, CountsLearnersEarly) {
  must_find(PlantedBug::kCountsLearnersEarly, 100, {"the job does not end", "has not seen"},
            [](std::uint64_t seed) { return servers_change_in_trouble(seed, 2, false); });
}

TEST(PlantedBugs, HandsOverDuringCut) {
  must_find(PlantedBug::kHandsOverDuringCut, 100, {"the job does not end"},
            [](std::uint64_t seed) { return joined(seed, 1, true); });
}

TEST(PlantedBugs, GivesWhatItPromised) {
  must_find(PlantedBug::kGivesWhatItPromised, 100, {"has two owners"},
            [](std::uint64_t seed) { return servers_change_in_trouble(seed, 2, false); });
}

TEST(PlantedBugs, MembersGoUnknown) {
  must_find(PlantedBug::kMembersGoUnknown, 300, {"has two owners"},
            [](std::uint64_t seed) { return servers_change_in_trouble(seed, 2, false); });
}

TEST(PlantedBugs, EpochsAreReused) {
  must_find(PlantedBug::kEpochsAreReused, 20, {"the job does not end"}, taken_over);
}

TEST(PlantedBugs, AppendsWithoutLeading) {
  must_find(PlantedBug::kAppendsWithoutLeading, 100, {"the job does not end"},
            [](std::uint64_t seed) { return led_in_turn(seed, {.drops = true}); });
}

TEST(PlantedBugs, SplitsUnconfirmed) {
  must_find(PlantedBug::kSplitsUnconfirmed, 20, {"the job does not end"}, helped);
}

TEST(PlantedBugs, StreamsOfItems) {
  must_find(PlantedBug::kStreamsOfItems, 20, {"updates were applied"}, rebuilt_after_a_split);
}

TEST(PlantedBugs, ServesAfterLease) {
  must_find(PlantedBug::kServesAfterLease, 20, {"has two owners"}, cut_off_from_the_scheduler);
}

TEST(PlantedBugs, LeaseBeforeMap) {
  must_find(PlantedBug::kLeaseBeforeMap, 50, {"has two owners"}, cut_off_and_back);
}

TEST(PlantedBugs, LeadsOutsideItsChain) {
  must_find(PlantedBug::kLeadsOutsideItsChain, 20, {"has two owners"}, cut_off_and_back);
}

TEST(PlantedBugs, MovesInFirstLease) {
  must_find(PlantedBug::kMovesInFirstLease, 50, {"has two owners"}, restarted_beside_a_lease);
}

TEST(PlantedBugs, PromotesLearners) {
  must_find(PlantedBug::kPromotesLearners, 50, {"the job does not end"}, only_copy_is_silent);
}

TEST(PlantedBugs, RefusedKeepsItsNumber) {
  must_find(PlantedBug::kRefusedKeepsItsNumber, 20, {"the job does not end"}, with_refused_slices);
}

TEST(PlantedBugs, BusyUsesItsNumber) {
  must_find(PlantedBug::kBusyUsesItsNumber, 20, {"has not seen"}, with_busy_servers);
}

TEST(PlantedBugs, AcksBeforeCopies) {
  must_find(PlantedBug::kAcksBeforeCopies, 50, {"the job does not end"}, taken_over);
}

TEST(PlantedBugs, EvictionsNotLogged) {
  must_find(PlantedBug::kEvictionsNotLogged, 20, {"holds other bytes"}, with_rows_that_expire);
}

TEST(PlantedBugs, LeftUnderOldEpochs) {
  must_find(PlantedBug::kLeftUnderOldEpochs, 20, {"holds other bytes", "the job does not end"},
            rebuilt_twice);
}

TEST(PlantedBugs, MapBeforeWelcome) {
  must_find(PlantedBug::kMapBeforeWelcome, 50, {"has two owners", "holds other bytes"},
            numbered_by_a_false_start);
}

TEST(PlantedBugs, IgnoresFailedSync) {
  must_find(PlantedBug::kIgnoresFailedSync, 100, {"the job does not end", "has two owners"},
            journal_forgets_who_left);
}

TEST(PlantedBugs, DirectStreamsTakenOver) {
  must_find(PlantedBug::kDirectStreamsTakenOver, 5, {"is lost", "do not end"}, one_of_some_dies);
}

TEST(PlantedBugs, ClosedStreamsComeBack) {
  must_find(PlantedBug::kClosedStreamsComeBack, 40, {"told apart"}, copies_come_late);
}

TEST(PlantedBugs, MembersTakeOldEpochs) {
  must_find(PlantedBug::kMembersTakeOldEpochs, 20, {"the job does not end", "holds other bytes"},
            taught_by_two);
}

TEST(PlantedBugs, TakesFormerCopies) {
  must_find(PlantedBug::kTakesFormerCopies, 100, {"the job does not end"}, taught_again_and_again);
}

TEST(PlantedBugs, CutsBehindTheShards) {
  must_find(PlantedBug::kCutsBehindTheShards, 20, {"is behind the cut's step"},
            rebuilt_after_failed_checkpoints);
}

TEST(PlantedBugs, ForgetsUnpublished) {
  must_find(PlantedBug::kForgetsUnpublished, 20, {"the job does not end"}, rebuilt_after_failed_checkpoints);
}

}  // namespace
}  // namespace capstan
