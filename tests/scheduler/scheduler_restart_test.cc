// A scheduler dies and another one goes on from its journal, beside nodes that never stopped.
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Scenario;

class SchedulerRestartTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerRestartTest() {
    options.start = StartMode::kRecover;
    options.config.cluster.workers = 2;
    options.config.train.partitions = 3;
  }
  // Server 0, as it greets after a scheduler of this generation has welcomed it.
  Hello welcomed_server() const {
    Hello known = hello(Role::kServer, 0, 1);
    known.generation = scheduler->job().facts().generation;
    return known;
  }
};

TEST_F(SchedulerRestartTest, GoesOnWithTheMapTheTermsAndTheHolders) {
  ASSERT_TRUE(start().ok());
  gather();
  const auto a = ask(0), b = ask(1);
  EXPECT_TRUE(done(0, *a));
  const auto c = ask(0);
  EXPECT_TRUE(report(0, *c, 5));
  const auto map = scheduler->job().map().update_since(0);

  ASSERT_TRUE(start().ok());
  EXPECT_EQ(scheduler->job().facts().generation, 2U);
  EXPECT_EQ(state(), JobState::kRunning);
  EXPECT_EQ(scheduler->job().map().version(), map.version);
  EXPECT_EQ(scheduler->job().work().done(), 1U);
  // The nodes do not know yet: they are told to greet again, and keep their ids.
  const auto stranger = tell(worker(0), WorkProgress{node_ids[worker(0)], {at(*c, 6)}});
  EXPECT_EQ(first<Refusal>(stranger)->reason, RefusalReason::kNotGreeted);
  const NodeId before = node_ids[worker(0)];
  const auto answers = greet_worker(0);
  EXPECT_EQ(first<Welcome>(answers)->generation, 2U);
  EXPECT_EQ(node_ids[worker(0)], before);
  greet_server(0);
  EXPECT_EQ(count_sent<DeclareTables>(), 0U) << "the server has its tables and rows";
  EXPECT_TRUE(report(0, *c, 7)) << "the holder keeps its item";
  EXPECT_FALSE(ask(0).has_value());
  // Worker 1 never comes back. During its lease nothing of it is given away.
  pass(milliseconds(1500), {server(0), worker(0)});
  EXPECT_TRUE(done(0, *c));
  EXPECT_FALSE(ask(0).has_value());
  pass(milliseconds(1000), {server(0), worker(0)});
  const auto taken = ask(0);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->work, b->work);
  EXPECT_GT(taken->term, b->term);
  EXPECT_EQ(taken->term >> 32, 2U);
  EXPECT_EQ(taken->first_batch, 0U) << "its watermark was never journaled: it goes on from the last that was";
  EXPECT_TRUE(done(0, *taken));
  EXPECT_EQ(state(), JobState::kDone);
  EXPECT_EQ(scheduler->job().facts().passes[0].examples, 300U);
}

TEST_F(SchedulerRestartTest, WatermarksAreThoseOfTheLastCut) {
  options.config.checkpoint.path = "ck";
  options.config.checkpoint.every_steps = 4;
  ASSERT_TRUE(start().ok());
  gather();
  const auto a = ask(0);
  report(0, *a, 4);
  pass(milliseconds(500), {server(0), worker(0), worker(1)});
  report(0, *a, 6);
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(1);
  pass(seconds(3), {server(0), worker(1)});
  const auto taken = ask(1);
  EXPECT_EQ(taken->work, a->work);
  EXPECT_EQ(taken->first_batch, 4U);
}

TEST_F(SchedulerRestartTest, DiesWhileValidatingAndEvaluating) {
  options.config.cluster.workers = 1;
  options.config.evaluate.every_passes = 1;
  parts = {{"valid", 1}, {"test", 2}};
  ASSERT_TRUE(start().ok());
  gather();
  for (int n = 0; n < 3; ++n) done(0, *ask(0));
  EXPECT_EQ(state(), JobState::kValidating);
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(state(), JobState::kValidating);
  greet_server(0);
  greet_worker(0);
  auto items = work_off(0);
  ASSERT_GE(items.size(), 2U);
  EXPECT_EQ(items[0].name, "valid");
  EXPECT_EQ(state(), JobState::kDone);
}

TEST_F(SchedulerRestartTest, DiesAtEveryRecordAndAlwaysComesBack) {
  // One worker drives the job; after every step the scheduler is replaced by a new one.
  options.config.cluster.workers = 1;
  options.config.train.passes = 2;
  options.config.evaluate.every_passes = 1;
  parts = {{"valid", 1}, {"test", 1}};
  ASSERT_TRUE(start().ok());
  std::uint32_t restarts = 0;
  bool ended = false;
  for (int round = 0; round < 200 && !ended; ++round) {
    greet_server(0);
    greet_worker(0);
    if (!scheduler->job().facts().agreed.has_value()) ready(0);
    std::uint64_t id = 0;
    if (last_sent<DeclareTables>(server(0), &id) != nullptr) tell(server(0), TablesReady{}, id);
    // Items of earlier rounds are the worker's still: it hands in what it has before it asks for more.
    for (const auto& [work, entry] : scheduler->job().work().entries()) {
      if (entry.holder != node_ids[worker(0)]) continue;
      WorkGrant held{work, 1, entry.term, entry.watermark, 0, {}};
      done(0, held);
      break;
    }
    if (!scheduler->job().ended()) {
      const auto grant = ask(0);
      if (grant && grant->work.kind != kTrainWork) {
        done(0, *grant, R"({"better": 1})");
        while (const auto more = ask(0)) {
          if (more->work.kind == kTrainWork) break;
          done(0, *more, R"({"better": 1})");
        }
      }
    }
    ended = scheduler->job().ended();
    if (!ended) {
      ASSERT_TRUE(start().ok());
      ++restarts;
    }
  }
  EXPECT_EQ(state(), JobState::kDone);
  EXPECT_GE(restarts, 6U);
  EXPECT_EQ(scheduler->job().facts().generation, restarts + 1);
  EXPECT_EQ(scheduler->job().facts().passes.size(), 2U);
}

TEST_F(SchedulerRestartTest, GenerationsRiseOverAnEndedJobToo) {
  ASSERT_TRUE(start().ok());
  gather();
  scheduler->stop("enough", false);
  EXPECT_FALSE(start().ok()) << "there is nothing to go on with";
  options.start = StartMode::kNew;
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(scheduler->job().facts().generation, 2U);
  EXPECT_EQ(state(), JobState::kWaiting);
  gather();
  EXPECT_EQ(ask(0)->term >> 32, 2U);
}

TEST_F(SchedulerRestartTest, ABadJournalStopsTheStart) {
  ASSERT_TRUE(start().ok());
  gather();
  std::string& journal = disk.files["work/journal"];
  journal[journal.find('\n') + 25] ^= 1;
  const Status status = start();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("work/journal:2"), std::string::npos) << status.error().message;
}

// Nodes would take its maps for old ones, and the job would stand still.
TEST_F(SchedulerRestartTest, ASchedulerWithoutTheJournalDoesNotBeginAnewBesideLivingNodes) {
  ASSERT_TRUE(start().ok());
  const Hello known = welcomed_server();
  tell(server(0), known);
  EXPECT_TRUE(scheduler->job().halted());
  EXPECT_NE(scheduler->job().facts().end_text.find("--rebuild"), std::string::npos);
}

// However often it is tried: what there was to go on from stays.
TEST_F(SchedulerRestartTest, ASchedulerThatGivesWayLeavesTheJournalAsItWas) {
  ASSERT_TRUE(start().ok());
  gather();
  const std::string before = disk.files["work/journal"];
  const Hello known = welcomed_server();
  for (int times = 0; times < 2; ++times) {
    options.start = StartMode::kNew;
    ASSERT_TRUE(start().ok());
    tell(server(0), known);
    EXPECT_TRUE(scheduler->job().halted());
    EXPECT_NE(
        scheduler->job().facts().end_text.find("work/journal tells. Go on beside the nodes that live with "
                                               "--recover"),
        std::string::npos)
        << scheduler->job().facts().end_text;
    EXPECT_TRUE(disk.files["work/journal"].starts_with(before));
  }
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  EXPECT_FALSE(scheduler->job().map().empty());
  EXPECT_GT(scheduler->job().facts().generation, 3U) << "none is used twice";
}

// Its own journal must not be what the next start goes on from.
TEST_F(SchedulerRestartTest, AFullDiskDoesNotKeepItFromGivingWay) {
  ASSERT_TRUE(start().ok());
  gather();
  const std::string before = disk.files["work/journal"];
  const Hello known = welcomed_server();
  options.start = StartMode::kNew;
  ASSERT_TRUE(start().ok());
  disk.fail_with = "No space left";
  tell(server(0), known);
  EXPECT_TRUE(greet_server(1).empty()) << "nobody is welcomed by one who gives way";
  pass(seconds(2), {});
  EXPECT_FALSE(scheduler->job().halted());
  disk.fail_with = "";
  pass(seconds(1), {});
  EXPECT_TRUE(scheduler->job().halted());
  EXPECT_TRUE(disk.files["work/journal"].starts_with(before));
}

TEST_F(SchedulerRestartTest, WithoutTheJournalItGivesWayEachTime) {
  ASSERT_TRUE(start().ok());
  gather();
  const Hello known = welcomed_server();
  disk.files.erase("work/journal");
  options.start = StartMode::kRecover;
  for (int times = 0; times < 3; ++times) {
    ASSERT_TRUE(start().ok());
    tell(server(0), known);
    EXPECT_TRUE(scheduler->job().halted()) << times;
    EXPECT_NE(scheduler->job().facts().end_text.find("--rebuild"), std::string::npos);
  }
}

}  // namespace
}  // namespace capstan
