// What is left when a job has ended, and what it says of it.
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::seconds;
using testing::CheckpointScenario;

class SchedulerEndTest : public ::testing::Test, public CheckpointScenario {};

// A server that hears late that its checkpoint was given up writes into its folder once more.
TEST_F(SchedulerEndTest, NothingIsLeftOfCheckpointsThatWereGivenUp) {
  options.config.cluster.servers = 2;
  options.config.checkpoint.every_steps = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 2);
  tick();
  snapshot_done(0, {}, "No space left on device");
  EXPECT_FALSE(disk.list("ck").ok()) << "gone at once";
  disk.files["ck/ckpt-000001/ps-1.rows"] = "late";
  report(0, *grant, 4);
  tick();
  snapshot_done(0, {0});
  snapshot_done(1, {1});
  EXPECT_EQ(*disk.list("ck"), (std::vector<std::string>{"ckpt-000002"}));
  report(0, *grant, 6);
  tick();
  snapshot_done(0, {}, "No space left on device");
  scheduler->stop("enough", false);
  disk.files["ck/ckpt-000003/ps-1.rows"] = "later still";
  loop.advance(seconds(1));
  EXPECT_EQ(*disk.list("ck"), (std::vector<std::string>{"ckpt-000002"}));
}

TEST_F(SchedulerEndTest, AJobWhoseModelIsInNoCheckpointFailsAfterItsFigures) {
  parts = {{"test", 1}};
  options.config.report = "report.json";
  ASSERT_TRUE(start().ok());
  gather();
  work_off(0);
  snapshot_done(0, {}, "No space left on device");
  work_off(0);
  EXPECT_FALSE(scheduler->job().ended()) << "there may be room by now";
  EXPECT_EQ(last_sent<Snapshot>(server(0))->directory, "ck/ckpt-000002");
  snapshot_done(0, {}, "No space left on device");
  EXPECT_EQ(state(), JobState::kFailed);
  const std::string& words = scheduler->job().facts().end_text;
  EXPECT_NE(
      words.find("fine\nthe job is done, but its model is in no checkpoint: ps-0: No space left on device "
                 "(disk full). There is no earlier one either"),
      std::string::npos)
      << words;
  EXPECT_NE(disk.files.at("report.json").find(R"("test":{"better":1,"text":"fine"})"), std::string::npos);
}

TEST_F(SchedulerEndTest, TheModelMayBeKeptAtTheSecondTry) {
  parts = {{"test", 1}};
  ASSERT_TRUE(start().ok());
  gather();
  work_off(0);
  snapshot_done(0, {}, "No space left on device");
  work_off(0);
  snapshot_done(0);
  EXPECT_EQ(state(), JobState::kDone);
  EXPECT_EQ(scheduler->job().facts().checkpoints.back().passes, 1U);
}

TEST_F(SchedulerEndTest, AStopSaysWhatThereIsToGoOnFrom) {
  options.config.checkpoint.every_steps = 2;
  ASSERT_TRUE(start().ok());
  gather();
  scheduler->stop("a server died", false);
  EXPECT_EQ(scheduler->job().facts().end_text,
            "stopped: a server died. There is no checkpoint of this run to resume from yet");
  ASSERT_TRUE(start().ok());
  gather();
  report(0, *ask(0), 2);
  tick();
  snapshot_done(0);
  scheduler->stop("a server died", false);
  EXPECT_EQ(scheduler->job().facts().end_text,
            "stopped: a server died. Run again with --resume to go on from ck/ckpt-000001");
}

}  // namespace
}  // namespace capstan
