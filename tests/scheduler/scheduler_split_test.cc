// A slow worker's item is split: from the wish to its rest being done, over deaths of everybody.
#include <gtest/gtest.h>

#include "scheduler/manifest.h"
#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Scenario;

// Two partitions of 160 batches in segments of 20. Worker 0 is slow.
class SchedulerSplitTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerSplitTest() {
    options.config.cluster.workers = 2;
    options.config.train.partitions = 2;
    options.config.report = "report.json";
  }
  WorkCursor at(const WorkGrant& grant, std::uint64_t watermark, std::uint64_t end = 0) const {
    WorkCursor cursor = Scenario::at(grant, watermark, 160);
    cursor.end = end != 0 ? end : grant.end_batch != 0 ? grant.end_batch : 160;
    return cursor;
  }
  // What the scheduler answers; its last wish is in `wish`, 0: there was none.
  bool says(std::uint32_t n, const WorkCursor& cursor) {
    const auto answers = tell(worker(n), WorkProgress{node_ids[worker(n)], {cursor}});
    const auto* reply = first<WorkProgressReply>(answers);
    if (reply == nullptr) return false;
    wish = reply->wishes.empty() ? 0 : reply->wishes[0].end;
    return reply->revoked.empty();
  }
  bool ends(std::uint32_t n, const WorkCursor& cursor) {
    const auto answers = tell(worker(n), WorkDone{node_ids[worker(n)], cursor, "", {}});
    const auto* reply = first<WorkDoneReply>(answers);
    return reply != nullptr && reply->accepted;
  }
  void time(Duration duration) { pass(duration, {server(0), worker(0), worker(1)}); }
  // Worker 1 has done its partition and has nothing to do; worker 0 is at batch 10 after two seconds, and is
  // asked to end at batch 40.
  void come_to_the_wish() {
    ASSERT_TRUE(start().ok());
    gather();
    slow = *ask(0);
    fast = *ask(1);
    time(seconds(2));
    ASSERT_TRUE(says(0, at(slow, 25)));
    EXPECT_EQ(wish, 0U);
    ASSERT_TRUE(ends(1, at(fast, 160)));
    EXPECT_FALSE(ask(1).has_value());
    ASSERT_TRUE(says(0, at(slow, 25)));
    EXPECT_EQ(wish, 40U);
  }
  void restart() {
    options.start = StartMode::kRecover;
    ASSERT_TRUE(start().ok());
    greet_server(0);
    greet_worker(0);
    greet_worker(1);
  }
  void expect_whole() {
    EXPECT_EQ(state(), JobState::kDone);
    const PassFinished& trained = scheduler->job().facts().passes.at(0);
    EXPECT_EQ(trained.examples, 3200U);
    EXPECT_EQ(trained.steps, 320U);
    EXPECT_DOUBLE_EQ(trained.loss_sum, 1600.0);
  }

  WorkGrant slow, fast;
  std::uint64_t wish = 0;
};

TEST_F(SchedulerSplitTest, TheRestIsAnItemOnceTheHolderHasLeftIt) {
  come_to_the_wish();
  EXPECT_FALSE(ask(1).has_value()) << "the holder has not answered";
  ASSERT_TRUE(says(0, at(slow, 41, 60))) << "it had begun 40 and some more";
  const auto rest = ask(1);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->work.partition, 6U) << "partition 0 of 2, from the fourth segment on";
  EXPECT_EQ(rest->first_batch, 60U);
  EXPECT_EQ(rest->end_batch, 160U);
  EXPECT_GT(rest->term, slow.term);
  EXPECT_TRUE(says(0, at(slow, 42, 60)));
  EXPECT_EQ(wish, 0U);
  EXPECT_TRUE(says(0, at(slow, 42))) << "a report from before, overtaken";
  EXPECT_TRUE(ends(1, at(*rest, 160)));
  EXPECT_EQ(state(), JobState::kRunning);
  EXPECT_TRUE(ends(0, at(slow, 60, 60)));
  expect_whole();
  EXPECT_NE(disk.files["report.json"].find("\"items_split\":1"), std::string::npos);
}

TEST_F(SchedulerSplitTest, AHolderThatLeavesNothingKeepsItsItem) {
  come_to_the_wish();
  EXPECT_TRUE(ends(0, at(slow, 160)));
  expect_whole();
  EXPECT_EQ(scheduler->job().facts().splits, 0U);
}

TEST_F(SchedulerSplitTest, TheHolderMayEndBeforeItIsHeardToHaveLeft) {
  come_to_the_wish();
  EXPECT_TRUE(ends(0, at(slow, 40, 40)));
  EXPECT_EQ(state(), JobState::kRunning) << "batches 40 to 159 are to be done";
  const auto rest = ask(0);
  ASSERT_TRUE(rest.has_value()) << "by whoever asks first";
  EXPECT_EQ(rest->first_batch, 40U);
  EXPECT_TRUE(ends(0, at(*rest, 160)));
  expect_whole();
}

// What it has left nobody has heard of; another one gets all.
TEST_F(SchedulerSplitTest, AHolderThatDiesUnheardHasLeftNothing) {
  come_to_the_wish();
  pass(seconds(3), {server(0), worker(1)});
  const auto taken = ask(1);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->work, slow.work);
  EXPECT_EQ(taken->first_batch, 25U);
  EXPECT_EQ(taken->end_batch, 160U);
  greet_worker(0);
  EXPECT_FALSE(says(0, at(slow, 30, 40))) << "it is not the holder any more";
  EXPECT_FALSE(ends(0, at(slow, 40, 40)));
  EXPECT_EQ(scheduler->job().facts().splits, 0U);
  EXPECT_TRUE(ends(1, at(*taken, 160)));
  expect_whole();
}

TEST_F(SchedulerSplitTest, BothPartsGoOnElsewhereWhenTheirHoldersDie) {
  come_to_the_wish();
  ASSERT_TRUE(says(0, at(slow, 30, 40)));
  const auto rest = ask(1);
  ASSERT_TRUE(says(1, at(*rest, 100)));
  pass(seconds(3), {server(0)});
  greet_worker(0, 2);
  ready(0);
  std::map<std::uint32_t, WorkGrant> taken;
  for (int n = 0; n < 2; ++n) {
    const auto answers = tell(worker(0), WorkRequest{node_ids[worker(0)], 2, 0});
    const auto* grant = first<WorkGrant>(answers);
    ASSERT_NE(grant, nullptr);
    taken[grant->work.partition] = *grant;
    EXPECT_TRUE(ends(0, at(*grant, grant->end_batch)));
  }
  EXPECT_EQ(taken.at(0).first_batch, 30U);
  EXPECT_EQ(taken.at(0).end_batch, 40U);
  EXPECT_EQ(taken.at(4).first_batch, 100U);
  EXPECT_EQ(taken.at(4).end_batch, 160U);
  expect_whole();
}

TEST_F(SchedulerSplitTest, ARestartedSchedulerKnowsTheParts) {
  come_to_the_wish();
  ASSERT_TRUE(says(0, at(slow, 30, 40)));
  restart();
  EXPECT_EQ(scheduler->job().facts().splits, 1U);
  const auto rest = ask(1);
  ASSERT_TRUE(rest.has_value()) << "it was free";
  EXPECT_EQ(rest->first_batch, 40U);
  EXPECT_TRUE(says(1, at(*rest, 80)));
  EXPECT_TRUE(says(0, at(slow, 33, 40)));
  restart();
  EXPECT_TRUE(says(1, at(*rest, 90)));
  EXPECT_TRUE(ends(0, at(slow, 40, 40)));
  restart();
  EXPECT_FALSE(ask(0).has_value()) << "its item has ended where it was split, and the rest is held";
  EXPECT_TRUE(ends(1, at(*rest, 160)));
  expect_whole();
}

// It died before it heard what the holder had left.
TEST_F(SchedulerSplitTest, ARestartedSchedulerHearsOfTheEndFromTheHolder) {
  come_to_the_wish();
  restart();
  EXPECT_FALSE(ask(1).has_value());
  EXPECT_TRUE(says(0, at(slow, 33, 40)));
  const auto rest = ask(1);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->first_batch, 40U);
  EXPECT_EQ(rest->end_batch, 160U);
  EXPECT_TRUE(ends(0, at(slow, 40, 40)));
  EXPECT_TRUE(ends(1, at(*rest, 160)));
  expect_whole();
}

TEST_F(SchedulerSplitTest, ARestIsSplitAgain) {
  come_to_the_wish();
  ASSERT_TRUE(says(0, at(slow, 30, 40)));
  const auto rest = ask(1);
  ASSERT_TRUE(ends(0, at(slow, 40, 40)));
  EXPECT_FALSE(ask(0).has_value());
  ASSERT_TRUE(says(1, at(*rest, 70, 100)));
  restart();
  const auto second = ask(0);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->work.partition, 10U);
  EXPECT_EQ(second->first_batch, 100U);
  EXPECT_EQ(second->end_batch, 160U);
  EXPECT_TRUE(ends(0, at(*second, 160)));
  EXPECT_TRUE(ends(1, at(*rest, 100, 100)));
  expect_whole();
}

TEST_F(SchedulerSplitTest, ACheckpointHasTheParts) {
  options.config.checkpoint.path = "ck";
  options.config.checkpoint.every_steps = 1;
  come_to_the_wish();
  ASSERT_TRUE(says(0, at(slow, 30, 40)));
  const auto rest = ask(1);
  ASSERT_TRUE(says(1, at(*rest, 100)));
  time(seconds(1));
  snapshot_done(0);
  ASSERT_TRUE(says(1, at(*rest, 101)));
  time(seconds(1));
  snapshot_done(0);
  const auto found = newest_checkpoint(disk, "ck");
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->manifest.streams.size(), 3U);
  const StreamState& last = found->manifest.streams[2];
  EXPECT_EQ(last.cursor.work.partition, 4U);
  EXPECT_EQ(last.cursor.watermark, 101U);
  EXPECT_EQ(last.cursor.end, 160U);
  EXPECT_EQ(found->manifest.streams[0].cursor.end, 40U);

  options.start = StartMode::kResume;
  ASSERT_TRUE(start().ok());
  gather();
  restore_done(0);
  EXPECT_EQ(scheduler->job().steps_so_far(), 160U + 30 + 61) << "what was known at the cut";
  const auto a = ask(0), b = ask(1);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->end_batch, 40U);
  EXPECT_EQ(b->work.partition, 4U);
  EXPECT_EQ(b->first_batch, 101U);
  EXPECT_TRUE(ends(0, at(*a, 40, 40)));
  EXPECT_TRUE(ends(1, at(*b, 160)));
  snapshot_done(0);  // of the model
  expect_whole();
}

TEST_F(SchedulerSplitTest, SlotsAreNeverSplit) {
  for (const Consistency mode : {Consistency::kSync, Consistency::kBounded}) {
    disk.files.clear();
    options.start = StartMode::kNew;
    options.config.train.consistency = mode;
    ASSERT_TRUE(start().ok());
    gather();
    slow = *ask(0);
    fast = *ask(1);
    time(seconds(2));
    ASSERT_TRUE(says(0, at(slow, 25)));
    ASSERT_TRUE(ends(1, at(fast, 160)));
    EXPECT_FALSE(ask(1).has_value());
    ASSERT_TRUE(says(0, at(slow, 25)));
    EXPECT_EQ(wish, 0U);
  }
}

TEST_F(SchedulerSplitTest, AnEndWithinASegmentIsNotBelieved) {
  come_to_the_wish();
  EXPECT_FALSE(says(0, at(slow, 30, 45)));
  EXPECT_FALSE(ends(0, at(slow, 45, 45))) << "batches 45 to 159 would be nobody's";
  EXPECT_EQ(scheduler->job().facts().splits, 0U);
}

}  // namespace
}  // namespace capstan
