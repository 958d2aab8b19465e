// The last copy of a shard is lost: the job goes back to its newest checkpoint, or ends.
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Scenario;

class SchedulerGoBackTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerGoBackTest() {
    options.config.checkpoint.path = "ck";
    options.config.checkpoint.every_steps = 1;
    options.config.train.partitions = 1;
    options.config.train.passes = 2;
  }
  // Runs, with a checkpoint of the running pass's only partition at batch 3.
  WorkGrant leave_a_checkpoint() {
    EXPECT_TRUE(start().ok());
    gather();
    const auto grant = ask(0);
    report(0, *grant, 3);
    loop.advance(milliseconds(200));
    for (std::uint32_t n = 0; n < options.config.cluster.servers; ++n) snapshot_done(n, {n});
    EXPECT_EQ(scheduler->job().facts().checkpoints.size(), 1U);
    return *grant;
  }
  void let_lease_end() { pass(seconds(3), {worker(0)}); }
  void restore_all() {
    tables_ready();
    for (std::uint32_t n = 0; n < options.config.cluster.servers; ++n) restore_done(n);
  }
  std::string warnings() const {
    return fmt::format("{}", fmt::join(scheduler->job().facts().warnings, "\n"));
  }
};

TEST_F(SchedulerGoBackTest, ARestartedServerGetsTheCheckpointAndTheWorkBeginsBehindIt) {
  const WorkGrant before = leave_a_checkpoint();
  EXPECT_TRUE(report(0, before, 7));
  let_lease_end();
  greet_server(0, 2);
  EXPECT_EQ(state(), JobState::kPreparing);
  EXPECT_EQ(last_sent<DeclareTables>(server(0))->fence, 2ULL << 32)
      << "older terms count nothing from now on";
  EXPECT_FALSE(report(0, before, 8)) << "what it does is part of what was lost";
  restore_all();
  EXPECT_EQ(last_sent<Restore>(server(0))->directory, "ck/ckpt-000001");
  EXPECT_EQ(state(), JobState::kRunning);
  const auto again = ask(0);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->work, before.work);
  EXPECT_EQ(again->first_batch, 3U);
  EXPECT_EQ(again->term >> 32, 2U);
  EXPECT_EQ(scheduler->job().map().version() >> 32, 2U);
  EXPECT_NE(
      warnings().find("server ps-0 was restarted and its 16 shards have no replica: everything goes back "
                      "to ck/ckpt-000001"),
      std::string::npos)
      << warnings();
  EXPECT_FALSE(finished);
}

TEST_F(SchedulerGoBackTest, ASilentServersShardsGoToTheOtherAfterLeaseAndGrace) {
  options.config.cluster.servers = 2;
  leave_a_checkpoint();
  const std::uint64_t map = scheduler->job().map().version();
  pass(seconds(6), {worker(0), server(0)});  // lease 2 s, grace 5 s
  EXPECT_EQ(scheduler->job().map().version(), map) << "it may come back with its rows";
  pass(seconds(2), {worker(0), server(0)});
  for (const ShardEntry& entry : scheduler->job().map().entries()) {
    EXPECT_EQ(entry.chain, Chain{node_ids[server(0)]});
    EXPECT_EQ(entry.epoch >> 32, 2U) << "also of shards that it held before";
  }
  std::uint64_t id = 0;
  ASSERT_NE(last_sent<DeclareTables>(server(0), &id), nullptr);
  tell(server(0), TablesReady{}, id);
  restore_done(0);
  EXPECT_EQ(state(), JobState::kRunning);
}

TEST_F(SchedulerGoBackTest, WhileTheSchedulerStandsStillNobodyIsSilent) {
  options.config.cluster.servers = 2;
  leave_a_checkpoint();
  const std::uint64_t map = scheduler->job().map().version();
  pass(seconds(3), {worker(0), server(0)});  // the other one's lease has ended
  loop.stand_still(seconds(60));
  pass(seconds(3), {worker(0), server(0)});
  EXPECT_EQ(scheduler->job().map().version(), map);
  pass(seconds(3), {worker(0), server(0)});  // grace 5 s
  EXPECT_NE(scheduler->job().map().version(), map);
}

TEST_F(SchedulerGoBackTest, WaitsForAServerWhenNoneIsLeft) {
  leave_a_checkpoint();
  pass(seconds(9), {worker(0)});
  EXPECT_EQ(state(), JobState::kWaiting);
  EXPECT_FALSE(finished);
  greet_server(1);  // another one
  pass(milliseconds(500), {worker(0), server(1)});
  std::uint64_t id = 0;
  ASSERT_NE(last_sent<DeclareTables>(server(1), &id), nullptr);
  tell(server(1), TablesReady{}, id);
  restore_done(1);
  EXPECT_EQ(state(), JobState::kRunning);
  EXPECT_EQ(ask(0)->first_batch, 3U);
}

TEST_F(SchedulerGoBackTest, ASchedulerThatDiesMeanwhileGoesOnWithIt) {
  leave_a_checkpoint();
  let_lease_end();
  greet_server(0, 2);
  ASSERT_EQ(state(), JobState::kPreparing);
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0, 2);
  greet_worker(0);
  restore_all();
  EXPECT_EQ(last_sent<Restore>(server(0))->directory, "ck/ckpt-000001");
  ready(0);
  const auto grant = ask(0);
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->first_batch, 3U);
  EXPECT_EQ(grant->term >> 32, 3U);
}

TEST_F(SchedulerGoBackTest, AJobWithoutACheckpointEnds) {
  ASSERT_TRUE(start().ok());
  gather();
  let_lease_end();
  greet_server(0, 2);
  EXPECT_EQ(state(), JobState::kFailed);
  EXPECT_NE(scheduler->job().facts().end_text.find("There is no checkpoint of this run"), std::string::npos)
      << scheduler->job().facts().end_text;
}

// The journal names a server's new process, and not yet that the old one's shards are gone.
TEST_F(SchedulerGoBackTest, ALossThatTheJournalDoesNotTellOfIsDealtWith) {
  leave_a_checkpoint();
  let_lease_end();
  std::string& journal = disk.files["work/journal"];
  const std::size_t before = journal.size();
  greet_server(0, 2);
  journal.resize(journal.find('\n', before) + 1);
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0, 2);
  loop.advance(milliseconds(500));
  EXPECT_NE(warnings().find("everything goes back to ck/ckpt-000001"), std::string::npos) << warnings();
}

}  // namespace
}  // namespace capstan
