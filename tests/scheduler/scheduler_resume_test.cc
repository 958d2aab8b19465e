// Which checkpoint a job goes on from, and which it refuses.
#include <gtest/gtest.h>

#include "common/config/load_job.h"
#include "scheduler/manifest.h"
#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using testing::Scenario;

class SchedulerResumeTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerResumeTest() {
    options.config.checkpoint.path = "ck";
    options.config.checkpoint.every_steps = 1;
    options.config.train.partitions = 1;
    options.config.train.passes = 2;
    options.config.report = "report.json";
  }
  // A checkpoint with the running pass's only partition at `watermark`.
  void checkpoint_at(const WorkGrant& grant, std::uint64_t watermark) {
    report(0, grant, watermark);
    loop.advance(milliseconds(200));
    snapshot_done(0);
  }
  // Starts, and leaves checkpoint 1 at batch 3 of the first pass and checkpoint 2 at batch 5.
  void leave_two_checkpoints() {
    ASSERT_TRUE(start().ok());
    gather();
    const auto grant = ask(0);
    checkpoint_at(*grant, 3);
    checkpoint_at(*grant, 5);
    ASSERT_EQ(scheduler->job().facts().checkpoints.size(), 2U);
  }
  std::uint64_t fence() const { return last_sent<DeclareTables>(server(0))->fence; }
  std::string restored_from() const {
    const auto* restore = last_sent<Restore>(server(0));
    return restore == nullptr ? "" : restore->directory;
  }
  bool has_warning(const std::string& part) const {
    for (const std::string& warning : scheduler->job().facts().warnings) {
      if (warning.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

constexpr const char* kDamage = "ck/ckpt-000002/ps-0.rows: shard 3 at byte 96 is damaged";

TEST_F(SchedulerResumeTest, ADamagedCheckpointIsNamedAndTheOneBeforeTaken) {
  leave_two_checkpoints();
  options.start = StartMode::kResume;
  ASSERT_TRUE(start().ok());
  gather();
  EXPECT_EQ(fence(), 2ULL << 32) << "terms of the first scheduler are a former cluster's";
  EXPECT_EQ(restored_from(), "ck/ckpt-000002");
  restore_done(0, kDamage);
  EXPECT_TRUE(has_warning(kDamage));
  tables_ready();
  EXPECT_EQ(restored_from(), "ck/ckpt-000001");
  restore_done(0);
  const auto grant = ask(0);
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->first_batch, 3U);
  EXPECT_EQ(scheduler->job().facts().resumed_from, "ck/ckpt-000001");
  work_off(0);
}

TEST_F(SchedulerResumeTest, ASchedulerThatDiesAfterFallingBackKnowsTheOtherCheckpoint) {
  leave_two_checkpoints();
  options.start = StartMode::kResume;
  ASSERT_TRUE(start().ok());
  gather();
  restore_done(0, kDamage);
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  tables_ready();
  EXPECT_EQ(restored_from(), "ck/ckpt-000001");
  restore_done(0);
  const auto grant = ask(0);
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->first_batch, 3U);
  checkpoint_at(*grant, 6);
  EXPECT_EQ(scheduler->job().facts().checkpoints.back().checkpoint, 3U) << "numbers are not used again";
}

TEST_F(SchedulerResumeTest, ANewRunDoesNotGoOnFromAnEarlierOnesCheckpoints) {
  leave_two_checkpoints();
  options.start = StartMode::kNew;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 2);
  options.start = StartMode::kResume;
  const Status nothing = start();
  ASSERT_FALSE(nothing.ok());
  EXPECT_NE(nothing.error().message.find("ck/ckpt-000002 is of an earlier run (generation 1, this one began "
                                         "with 2)"),
            std::string::npos)
      << nothing.error().message;
}

TEST_F(SchedulerResumeTest, ANewRunGoesOnFromItsOwnCheckpoint) {
  leave_two_checkpoints();
  options.start = StartMode::kNew;
  ASSERT_TRUE(start().ok());
  gather();
  checkpoint_at(*ask(0), 4);
  options.start = StartMode::kResume;
  for (int times = 0; times < 2; ++times) {
    ASSERT_TRUE(start().ok());
    gather();
    EXPECT_EQ(restored_from(), "ck/ckpt-000003");
  }
  restore_done(0, "damaged");
  EXPECT_NE(scheduler->job().facts().end_text.find("is of an earlier run"), std::string::npos)
      << "nor does it fall back on one of an earlier run: " << scheduler->job().facts().end_text;
}

TEST_F(SchedulerResumeTest, AnEarlierRunsCheckpointIsTakenWhenItIsNamed) {
  leave_two_checkpoints();
  options.start = StartMode::kNew;
  ASSERT_TRUE(start().ok());
  options.start = StartMode::kResume;
  options.resume_from = "ck/ckpt-000001";
  ASSERT_TRUE(start().ok());
  gather();
  EXPECT_EQ(restored_from(), "ck/ckpt-000001");
  restore_done(0);
  const auto grant = ask(0);
  EXPECT_EQ(grant->first_batch, 3U);
  checkpoint_at(*grant, 7);
  options.resume_from.clear();
  ASSERT_TRUE(start().ok());
  gather();
  EXPECT_EQ(restored_from(), "ck/ckpt-000003");
}

// Servers forget the pushes of passes that are finished for good: what a newer checkpoint says of a pass that
// is done again does not count.
TEST_F(SchedulerResumeTest, APassThatIsDoneAgainIsNotForgotten) {
  ASSERT_TRUE(start().ok());
  gather();
  const auto first = ask(0);
  checkpoint_at(*first, 3);
  EXPECT_TRUE(done(0, *first));
  const auto second = ask(0);
  ASSERT_EQ(second->work.pass, 1U);
  checkpoint_at(*second, 2);
  ASSERT_EQ(scheduler->job().facts().checkpoints.back().passes, 1U);
  options.start = StartMode::kResume;
  options.resume_from = "ck/ckpt-000001";
  for (std::uint64_t watermark : {4U, 5U}) {
    ASSERT_TRUE(start().ok());
    if (options.start == StartMode::kResume) {
      gather();
      restore_done(0);
    } else {
      greet_server(0);
      greet_worker(0);
    }
    const auto again = ask(0);
    ASSERT_TRUE(again.has_value());
    ASSERT_EQ(again->work.pass, 0U);
    report(0, *again, watermark);
    loop.advance(milliseconds(200));
    const Snapshot* asked = last_sent<Snapshot>(server(0));
    ASSERT_NE(asked, nullptr);
    EXPECT_EQ(asked->forget_below_pass, 0U);
    options.start = StartMode::kRecover;
  }
}

TEST_F(SchedulerResumeTest, AnEndedJobsJournalIsNotTakenUpSilently) {
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok()) << "without a journal it begins anew";
  gather();
  scheduler->stop("enough", false);
  const Status ended = start();
  ASSERT_FALSE(ended.ok());
  EXPECT_NE(ended.error().message.find("work/journal says that the job has ended (failed: stopped: enough"),
            std::string::npos)
      << ended.error().message;
  EXPECT_NE(ended.error().message.find("--resume"), std::string::npos);
}

class SchedulerMidPassTest : public SchedulerResumeTest {
 protected:
  static constexpr const char* kJob = R"(job: job
task: ctr
data: {format: csv, train: [a.csv], label: y, split: {method: ratio, test: 0.2}}
features: [{name: x, column: x, transform: hash}]
model: {type: lr}
seed: 7
train: {passes: 2, batch_size: 64, partitions: 1, consistency: async}
)";

  void load(std::string yaml, const std::string& from = "", const std::string& to = "") {
    if (!from.empty()) yaml.replace(yaml.find(from), from.size(), to);
    take_job(yaml);
  }
  std::string refusal(const std::string& from, const std::string& to) {
    load(kJob, from, to);
    const Status status = start();
    return status.ok() ? "" : status.error().message;
  }
};

TEST_F(SchedulerMidPassTest, RefusesWhatWouldCountExamplesTwiceAndNamesIt) {
  load(kJob);
  ASSERT_TRUE(start().ok());
  gather();
  checkpoint_at(*ask(0), 4);
  options.start = StartMode::kResume;
  const std::string head = "cannot resume from ck/ckpt-000001: ", tail = ", in the middle of a pass";
  EXPECT_EQ(refusal("partitions: 1", "partitions: 3"), head + "train.partitions: 1 became 3" + tail);
  EXPECT_EQ(refusal("consistency: async", "consistency: sync"),
            head + "train.consistency: async became sync" + tail);
  EXPECT_EQ(refusal("batch_size: 64", "batch_size: 32"), head + "train.batch_size: 64 became 32");
  EXPECT_EQ(refusal("seed: 7", "seed: 8"), head + "seed: 7 became 8");
  EXPECT_EQ(refusal("test: 0.2", "test: 0.3"), head + "data.split.test: 0.2 became 0.3");
  EXPECT_EQ(refusal("batch_size: 64", "batch_size: 64, include_valid: true"),
            head + "train.include_valid: false became true");
  // Harmless.
  EXPECT_EQ(refusal("passes: 2", "passes: 5"), "");
  EXPECT_EQ(refusal(", partitions: 1", ""), "") << "the pass keeps the partitions that it was begun with";
  EXPECT_EQ(refusal("batch_size: 64", "batch_size: 64, push_window: 9, pipeline_depth: 3"), "");
}

TEST_F(SchedulerMidPassTest, BetweenPassesPartitionsAndConsistencyMayChange) {
  options.config.checkpoint.every_steps = 0;
  load(kJob, "passes: 2", "passes: 1");
  ASSERT_TRUE(start().ok());
  gather();
  work_off(0);
  snapshot_done(0);
  ASSERT_EQ(state(), JobState::kDone);
  options.start = StartMode::kResume;
  EXPECT_EQ(refusal("partitions: 1", "partitions: 3"), "");
  gather();
  restore_done(0);
  EXPECT_EQ(ask(0)->num_partitions, 3U);
  EXPECT_EQ(refusal("consistency: async", "consistency: bounded, staleness: 2"), "");
}

}  // namespace
}  // namespace capstan
