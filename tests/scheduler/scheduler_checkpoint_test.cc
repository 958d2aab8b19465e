// Cuts, what becomes of failed ones, early stopping with the best kept, stops on request, and resuming.
#include <gtest/gtest.h>

#include "common/config/load_job.h"
#include "scheduler/manifest.h"
#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;
using testing::CheckpointScenario;

class SchedulerCheckpointTest : public ::testing::Test, public CheckpointScenario {};

TEST_F(SchedulerCheckpointTest, ACutHoldsTheWatermarksThatWereJournaledBefore) {
  options.config.cluster.servers = 2;
  options.config.checkpoint.every_steps = 8;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  EXPECT_TRUE(report(0, *grant, 7));
  tick();
  EXPECT_EQ(count_sent<Snapshot>(), 0U);
  EXPECT_TRUE(report(0, *grant, 8));
  tick();
  ASSERT_EQ(count_sent<Snapshot>(), 2U);
  EXPECT_EQ(last_sent<Snapshot>(server(0))->directory, "ck/ckpt-000001");
  EXPECT_EQ(last_sent<Snapshot>(server(0))->after_step, 0U);
  const auto records = FileJournal(disk, "work/journal").read(JournalLines::kAll);
  const auto* cut = std::get_if<CutBegun>(&records->back());
  ASSERT_NE(cut, nullptr);
  EXPECT_EQ(cut->cursors[0].watermark, 8U);
  EXPECT_TRUE(report(0, *grant, 9)) << "training goes on";
  snapshot_done(0, {0, 2});
  EXPECT_FALSE(disk.files.contains("ck/ckpt-000001/MANIFEST.json"));
  snapshot_done(1, {1});
  const auto manifest = read_manifest(disk, "ck/ckpt-000001");
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  EXPECT_EQ(manifest->streams[0].cursor.watermark, 8U);
  EXPECT_EQ(manifest->streams[1].cursor.watermark, 0U);
  ASSERT_EQ(manifest->sections.size(), 3U);
  EXPECT_EQ(manifest->sections[1].file, "ps-1.rows");
  EXPECT_EQ(manifest->num_partitions, 2U);
  EXPECT_EQ(manifest->job_text, options.job_text);
}

TEST_F(SchedulerCheckpointTest, AFullDiskLeavesTheLastGoodOneAndTrainingGoesOn) {
  options.config.checkpoint.every_steps = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 2);
  tick();
  snapshot_done(0);
  report(0, *grant, 4);
  tick();
  EXPECT_EQ(last_sent<Snapshot>(server(0))->directory, "ck/ckpt-000002");
  snapshot_done(0, {}, "No space left on device");
  EXPECT_EQ(state(), JobState::kRunning);
  EXPECT_EQ(newest_checkpoint(disk, "ck")->directory, "ck/ckpt-000001");
  ASSERT_EQ(scheduler->job().facts().warnings.size(), 1U);
  EXPECT_EQ(scheduler->job().facts().warnings[0],
            "checkpoint failed: ps-0: No space left on device (disk full); training goes on, the last good "
            "one is kept");
  EXPECT_NE(scheduler->status().find("disk full"), std::string::npos);
  report(0, *grant, 6);
  tick();
  EXPECT_EQ(last_sent<Snapshot>(server(0))->directory, "ck/ckpt-000003") << "numbers are not used twice";
  snapshot_done(0);
  EXPECT_EQ(newest_checkpoint(disk, "ck")->directory, "ck/ckpt-000003");
}

TEST_F(SchedulerCheckpointTest, KeepsTheNewestFew) {
  options.config.checkpoint.every_steps = 1;
  options.config.checkpoint.keep = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  for (std::uint64_t step = 1; step <= 5; ++step) {
    report(0, *grant, step);
    tick();
    snapshot_done(0);
  }
  const auto left = list_checkpoints(disk, "ck");
  ASSERT_EQ(left->size(), 2U);
  EXPECT_EQ(left->front().checkpoint, 4U);
  EXPECT_EQ(scheduler->job().facts().checkpoints.size(), 2U);
}

TEST_F(SchedulerCheckpointTest, SyncCutsAtAStepAheadAndTriesFurtherWhenTooLate) {
  options.config.train.consistency = Consistency::kSync;
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  auto a = ask(0, 0), b = ask(0, 1);
  ASSERT_TRUE(a && b);
  WorkCursor front = at(*a, 5, 1000);
  tell(worker(0), WorkProgress{node_ids[worker(0)], {front}});
  tick();
  std::uint64_t id = 0;
  const Snapshot first_try = *last_sent<Snapshot>(server(0), &id);
  EXPECT_GT(first_try.after_step, 5U);
  SnapshotReply late;
  late.checkpoint = first_try.checkpoint;
  late.too_late = true;
  late.error = "past the step";
  tell(server(0), late, id);
  const Snapshot second_try = *last_sent<Snapshot>(server(0));
  EXPECT_GT(second_try.after_step, first_try.after_step);
  EXPECT_GT(second_try.checkpoint, first_try.checkpoint);
  snapshot_done(0);
  const auto manifest = newest_checkpoint(disk, "ck");
  for (const StreamState& stream : manifest->manifest.streams) {
    EXPECT_EQ(stream.cursor.watermark, second_try.after_step) << "the step is the cut, for every slot";
  }
}

// The servers hear of the cut when the pass is over: nothing else is to come that could end the wait for it.
TEST_F(SchedulerCheckpointTest, ASyncCutThatIsTooLateAtTheEndOfThePassDoesNotHoldTheJobUp) {
  options.config.train.consistency = Consistency::kSync;
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  auto a = ask(0, 0), b = ask(0, 1);
  ASSERT_TRUE(a && b);
  tell(worker(0), WorkProgress{node_ids[worker(0)], {at(*a, 5, 1000)}});
  tick();
  std::uint64_t id = 0;
  SnapshotReply late;
  late.checkpoint = last_sent<Snapshot>(server(0), &id)->checkpoint;
  late.too_late = true;
  done(0, *a);
  done(0, *b);
  ASSERT_EQ(count_sent<Snapshot>(), 1U) << "the last checkpoint waits for the one under way";
  tell(server(0), late, id);
  ASSERT_EQ(count_sent<Snapshot>(), 2U);
  EXPECT_EQ(last_sent<Snapshot>(server(0))->after_step, 0U);
  snapshot_done(0);
  EXPECT_NE(state(), JobState::kRunning);
}

TEST_F(SchedulerCheckpointTest, ASyncCutBeforeThePassesLengthIsKnownIsPutOff) {
  options.config.train.consistency = Consistency::kSync;
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  auto a = ask(0, 0), b = ask(0, 1);
  ASSERT_TRUE(a && b);
  tell(worker(0), WorkProgress{node_ids[worker(0)], {at(*a, 5, 0)}});
  tick();
  EXPECT_EQ(count_sent<Snapshot>(), 0U) << "the step might lie beyond the end";
  done(0, *a);
  done(0, *b);
  EXPECT_EQ(last_sent<Snapshot>(server(0))->after_step, 0U);
}

TEST_F(SchedulerCheckpointTest, ASyncCutTooNearTheEndIsMadeBetweenThePasses) {
  options.config.train.consistency = Consistency::kSync;
  options.config.train.passes = 2;
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  auto a = ask(0, 0), b = ask(0, 1);
  report(0, *a, 5);  // of 10
  tick();
  EXPECT_EQ(count_sent<Snapshot>(), 0U);
  done(0, *a);
  done(0, *b);
  ASSERT_EQ(count_sent<Snapshot>(), 1U);
  EXPECT_EQ(last_sent<Snapshot>(server(0))->after_step, 0U);
  EXPECT_FALSE(ask(0).has_value()) << "the next pass waits for a drained cut";
  snapshot_done(0);
  EXPECT_EQ(ask(0)->work.pass, 1U);
  EXPECT_TRUE(newest_checkpoint(disk, "ck")->manifest.streams.empty());
}

TEST_F(SchedulerCheckpointTest, EarlyStopKeepsTheBestAndEvaluatesIt) {
  options.config.train.passes = 9;
  options.config.evaluate.every_passes = 1;
  options.config.train.early_stop_patience = 2;
  options.config.checkpoint.keep = 1;
  parts = {{"valid", 2}, {"test", 1}};
  ASSERT_TRUE(start().ok());
  gather();
  EXPECT_EQ(work_off(0, R"({"better": 0.5})").size(), 2 + 2 + 1U);
  EXPECT_EQ(merge_inputs, (std::vector<std::string>{"valid/0", "valid/1"}));
  snapshot_done(0);  // pass 0, the best so far
  work_off(0, R"({"better": 0.7})");
  snapshot_done(0);                   // pass 1, better
  work_off(0, R"({"better": 0.6})");  // passes 2 and 3 are worse: stop
  EXPECT_EQ(state(), JobState::kRestoring);
  const Restore* restore = last_sent<Restore>(server(0));
  ASSERT_NE(restore, nullptr);
  EXPECT_EQ(restore->directory, "ck/ckpt-000002");
  ASSERT_EQ(restore->sections.size(), 1U);
  EXPECT_EQ(restore->sections[0].file, "ps-0.rows");
  EXPECT_FALSE(ask(0).has_value());
  restore_done(0);
  const auto items = work_off(0);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].name, "test");
  EXPECT_EQ(state(), JobState::kDone);
  const JobFacts& facts = scheduler->job().facts();
  EXPECT_TRUE(facts.stopped_early);
  EXPECT_EQ(facts.best_pass, 1U);
  EXPECT_EQ(facts.passes.size(), 4U);
  EXPECT_EQ(facts.test_evaluations, 1U);
}

TEST_F(SchedulerCheckpointTest, AStopOnRequestCheckpointsFirst) {
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 3);
  scheduler->stop("Ctrl-C", true);
  EXPECT_FALSE(scheduler->job().ended());
  snapshot_done(0);
  EXPECT_TRUE(scheduler->job().ended());
  EXPECT_EQ(last_sent<JobEnded>(worker(0))->text,
            "stopped: Ctrl-C; checkpoint ck/ckpt-000001 is kept, go on with --resume");
}

TEST_F(SchedulerCheckpointTest, AStopDoesNotWaitForASilentServer) {
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 3);
  scheduler->stop("Ctrl-C", true);
  pass(seconds(5), {server(0), worker(0)});
  EXPECT_TRUE(finished && !ok);
}

TEST_F(SchedulerCheckpointTest, ResumesAfterTheCutOnAnotherNumberOfServers) {
  options.config.cluster.servers = 2;
  options.config.train.passes = 2;
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  const auto old = ask(0);
  done(0, *old);
  const auto second = ask(0);
  report(0, *second, 4);
  tick();
  snapshot_done(0, {0, 5});
  snapshot_done(1, {1});
  const std::uint32_t generation = scheduler->job().facts().generation;

  options.start = StartMode::kResume;
  options.config.cluster.servers = 1;
  ASSERT_TRUE(start().ok());
  EXPECT_GT(scheduler->job().facts().generation, generation);
  gather();
  EXPECT_EQ(state(), JobState::kRestoring);
  EXPECT_EQ(last_sent<Restore>(server(0))->sections.size(), 3U);
  EXPECT_FALSE(ask(0).has_value());
  restore_done(0);
  const auto grant = ask(0);
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->work, second->work) << "the other partition was done before the cut";
  EXPECT_EQ(grant->first_batch, 4U);
  EXPECT_GT(grant->term, second->term);
  EXPECT_TRUE(done(0, *grant));
  EXPECT_EQ(ask(0)->work.pass, 1U);
  EXPECT_EQ(scheduler->job().facts().passes[0].examples, 200U);
}

TEST_F(SchedulerCheckpointTest, RefusesToResumeWhatHasChanged) {
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 4);
  tick();
  snapshot_done(0);

  options.start = StartMode::kResume;
  options.config.cluster.num_shards = 32;
  EXPECT_EQ(start().error().message, "cannot resume from ck/ckpt-000001: cluster.num_shards: 16 became 32");
  options.config.cluster.num_shards = 16;
  options.job_text += "# another file\n";
  EXPECT_EQ(start().error().message.substr(0, 40), "cannot resume from ck/ckpt-000001: the c")
      << "no job file";
  options.job_text = "name: job\n";
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  WorkerReady other = ready_message();
  other.tables[0].dim = 5;
  tell(worker(0), other, 0);
  EXPECT_EQ(scheduler->job().facts().end_text,
            "cannot resume from ck/ckpt-000001: table items: dim 4 became 5");
  options.config.data.train = {"a.csv", "b.csv"};
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  other = ready_message();
  ++other.data_fingerprint;
  ++other.train_examples;
  tell(worker(0), other, 0);
  EXPECT_EQ(scheduler->job().facts().end_text,
            "cannot resume from ck/ckpt-000001: the settings of the data are the same, but the contents of "
            "one of its "
            "files or more changed (a.csv, b.csv); 100 training examples became 101");
  options.config.checkpoint.path = "elsewhere";
  EXPECT_EQ(start().error().message, "no checkpoint that verifies in elsewhere");
}

// A feature at the end of the list puts its table before the model's layers.
TEST_F(SchedulerCheckpointTest, GoesOnWithATableMore) {
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  report(0, *ask(0), 3);
  tick();
  snapshot_done(0);
  options.start = StartMode::kResume;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  WorkerReady more = ready_message();
  TableSpec added = more.tables[0];
  added.name = "added";
  more.tables.insert(more.tables.begin(), added);
  tell(worker(0), more, 0);
  EXPECT_EQ(scheduler->job().facts().end_text, "");
  ASSERT_NE(last_sent<DeclareTables>(server(0)), nullptr);
  EXPECT_EQ(last_sent<DeclareTables>(server(0))->tables.size(), more.tables.size());
}

TEST_F(SchedulerCheckpointTest, NamesTheSettingThatHasChanged) {
  const std::string job = R"(job: job
task: ctr
data: {format: csv, train: [a.csv], label: y}
features: [{name: x, column: x, transform: hash}]
model: {type: lr}
train: {passes: 3, batch_size: 64}
)";
  options.config.checkpoint.every_steps = 1;
  take_job(job);
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 4);
  tick();
  snapshot_done(0);

  options.start = StartMode::kResume;
  std::string changed = job;
  changed.replace(changed.find("batch_size: 64"), 14, "batch_size: 32");
  take_job(changed);
  EXPECT_EQ(start().error().message, "cannot resume from ck/ckpt-000001: train.batch_size: 64 became 32");
  changed = job;
  changed.replace(changed.find("passes: 3"), 9, "passes: 9");
  take_job(changed);
  EXPECT_TRUE(start().ok()) << "more passes are no other job";
}

TEST_F(SchedulerCheckpointTest, ADamagedFileIsNamedWhenThereIsNothingToFallBackTo) {
  options.config.checkpoint.every_steps = 1;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 4);
  tick();
  snapshot_done(0);
  options.start = StartMode::kResume;
  ASSERT_TRUE(start().ok());
  gather();
  restore_done(0, "ck/ckpt-000001/ps-0.rows: shard 0 is damaged");
  EXPECT_EQ(
      scheduler->job().facts().end_text,
      "ps-0 could not restore the checkpoint: ck/ckpt-000001/ps-0.rows: shard 0 is damaged; no checkpoint "
      "that verifies in ck");
}

TEST_F(SchedulerCheckpointTest, EvaluatesAFinishedJobAgainWithoutTraining) {
  parts = {{"test", 1}, {"recommend", 1}};
  ASSERT_TRUE(start().ok());
  gather();
  work_off(0);
  snapshot_done(0);  // the last pass is kept
  work_off(0);
  EXPECT_EQ(state(), JobState::kDone);
  options.start = StartMode::kResume;
  options.evaluate_only = true;
  options.only_parts = {"recommend"};
  ASSERT_TRUE(start().ok());
  gather();
  restore_done(0);
  const auto items = work_off(0);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].name, "recommend");
  EXPECT_EQ(state(), JobState::kDone);
  EXPECT_EQ(list_checkpoints(disk, "ck")->size(), 1U) << "nothing new is written";
}

}  // namespace
}  // namespace capstan
