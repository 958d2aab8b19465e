// What the scheduler does when nodes are wrong, late, lost, or not who they say they are.
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Scenario;

class SchedulerFailureTest : public ::testing::Test, public Scenario {
 protected:
  RefusalReason refusal_of(const std::vector<Message>& answers) {
    const auto* refusal = first<Refusal>(answers);
    EXPECT_NE(refusal, nullptr);
    return refusal == nullptr ? RefusalReason::kJobEnded : refusal->reason;
  }
};

TEST_F(SchedulerFailureTest, RefusesStrangersByReason) {
  ASSERT_TRUE(start().ok());
  Hello old = hello(Role::kServer, 0);
  old.protocol_version = kProtocolVersion + 1;
  EXPECT_EQ(refusal_of(tell(1, old)), RefusalReason::kOtherVersion);
  Hello other = hello(Role::kServer, 0);
  other.job_id = "another";
  EXPECT_EQ(refusal_of(tell(1, other)), RefusalReason::kOtherJob);
  EXPECT_EQ(refusal_of(tell(1, WorkRequest{})), RefusalReason::kNotGreeted);
  EXPECT_EQ(refusal_of(tell(1, StatusRequest{})), RefusalReason::kNotGreeted);
  greet_server(0);
  EXPECT_EQ(refusal_of(tell(2, hello(Role::kServer, 0, 2))), RefusalReason::kNameTaken);
  net->deliver(3, {Buffer::copy_of(std::string_view("garbage"))});
  EXPECT_EQ(net->closed, std::vector<PeerId>{3});
  const auto& refusals = scheduler->peers().refusals();
  EXPECT_EQ(refusals.at("other protocol version"), 1U);
  EXPECT_EQ(refusals.at("other job"), 1U);
  EXPECT_EQ(refusals.at("not greeted"), 2U);
  EXPECT_EQ(refusals.at("name taken"), 1U);
  EXPECT_EQ(refusals.size(), 5U) << "and the garbage, under the codec's reason";
}

TEST_F(SchedulerFailureTest, WelcomesBeforeItAsksForAnything) {
  ASSERT_TRUE(start().ok());
  greet_worker(0);
  ready(0);
  const auto answers = greet_server(0);  // the last one: the job can start at once
  ASSERT_GE(answers.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Welcome>(answers[0]));
  EXPECT_TRUE(std::holds_alternative<MapUpdate>(answers[1]));
  EXPECT_TRUE(std::holds_alternative<DeclareTables>(answers[2]));
  EXPECT_EQ(std::get<Welcome>(answers[0]).lease_ms, options.config.cluster.lease_ms);
}

TEST_F(SchedulerFailureTest, SaysWhoIsMissingWhenTheStartTakesTooLong) {
  options.config.cluster.servers = 3;
  options.config.cluster.workers = 1;
  options.config.cluster.startup_timeout_ms = 10000;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_server(1);
  greet_worker(0);
  EXPECT_EQ(scheduler->job().waits_for(),
            "2 of 3 servers registered, waiting for ps-2; worker-0 preparing data");
  pass(seconds(9), {server(0), server(1), worker(0)});
  EXPECT_FALSE(finished);
  pass(seconds(3), {server(0), server(1), worker(0)});
  EXPECT_TRUE(finished && !ok);
  EXPECT_EQ(text, "gave up after 10 s: 2 of 3 servers registered, waiting for ps-2; worker-0 preparing data");
}

TEST_F(SchedulerFailureTest, WorkersMustAgreeOnDataAndTables) {
  options.config.cluster.workers = 2;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  greet_worker(1);
  ready(0);
  WorkerReady other = ready_message();
  other.tables[0].dim = 8;
  tell(worker(1), other, 0);
  EXPECT_EQ(state(), JobState::kFailed);
  EXPECT_EQ(scheduler->job().facts().end_text, "worker-0 and worker-1 disagree: table items: dim 4 became 8");
}

TEST_F(SchedulerFailureTest, AWorkerThatCannotPrepareFailsTheJob) {
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  WorkerReady broken = ready_message();
  broken.error = "ratings.csv: no such file";
  tell(worker(0), broken, 0);
  EXPECT_EQ(scheduler->job().facts().end_text, "worker-0: ratings.csv: no such file");
}

TEST_F(SchedulerFailureTest, AWorkerDiesInMidPassAndItsZombieIsRevoked) {
  options.config.cluster.workers = 2;
  options.config.train.partitions = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const auto a = ask(0), b = ask(1);
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(report(0, *a, 6));
  // Worker 0 is silent for longer than its lease.
  pass(seconds(3), {server(0), worker(1)});
  EXPECT_TRUE(done(1, *b));
  const auto taken = ask(1);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->work, a->work);
  EXPECT_EQ(taken->first_batch, 6U);
  EXPECT_GT(taken->term, a->term);
  // It wakes up: first it has to greet again, then it learns that the item is somebody else's.
  EXPECT_EQ(refusal_of(tell(worker(0), WorkProgress{node_ids[worker(0)], {at(*a, 8)}})),
            RefusalReason::kNotGreeted);
  greet_worker(0);
  EXPECT_FALSE(report(0, *a, 8));
  EXPECT_FALSE(done(0, *a));
  EXPECT_EQ(state(), JobState::kRunning);
  EXPECT_TRUE(done(1, *taken));
  EXPECT_EQ(state(), JobState::kDone);
  const auto& passes = scheduler->job().facts().passes;
  ASSERT_EQ(passes.size(), 1U);
  EXPECT_EQ(passes[0].examples, 200U) << "each batch counted once";
}

TEST_F(SchedulerFailureTest, SteppedModesHandOutAllPartitionsAtOnce) {
  options.config.cluster.workers = 2;
  options.config.train.consistency = Consistency::kSync;
  options.config.train.partitions = 4;
  ASSERT_TRUE(start().ok());
  gather();
  const auto* declare = last_sent<DeclareTables>(server(0));
  EXPECT_EQ(declare->num_slots, 4U);
  EXPECT_TRUE(declare->combine_steps);
  EXPECT_TRUE(ask(0, 0) && ask(0, 1));
  EXPECT_FALSE(ask(0, 2).has_value()) << "the other half is for worker 1";
  EXPECT_TRUE(ask(1, 0).has_value());
  pass(seconds(3), {server(0), worker(0)});
  EXPECT_TRUE(ask(0, 2) && ask(0, 3)) << "worker 1 is lost, a step needs all four";
}

TEST_F(SchedulerFailureTest, ALostServerEndsTheJobOnlyAfterLeaseAndGrace) {
  ASSERT_TRUE(start().ok());
  gather();
  pass(seconds(6), {worker(0)});  // lease 2 s, grace 5 s
  EXPECT_FALSE(finished);
  EXPECT_NE(scheduler->job().waits_for().find("waiting for ps-0"), std::string::npos);
  greet_server(0);  // the same process, back in time with all of its rows
  pass(seconds(4), {worker(0), server(0)});
  EXPECT_FALSE(finished);
  pass(seconds(9), {worker(0)});
  EXPECT_TRUE(finished && !ok);
  EXPECT_NE(text.find("server ps-0 was silent for 5 s and its 16 shards have no replica"), std::string::npos)
      << text;
  EXPECT_NE(text.find("set checkpoint.path"), std::string::npos) << text;
}

TEST_F(SchedulerFailureTest, ARestartedServerHasLostItsRows) {
  ASSERT_TRUE(start().ok());
  gather();
  pass(seconds(3), {worker(0)});
  greet_server(0, 2);
  EXPECT_EQ(state(), JobState::kFailed);
  EXPECT_NE(scheduler->job().facts().end_text.find("server ps-0 was restarted"), std::string::npos);
}

TEST_F(SchedulerFailureTest, WithReplicasTheBackupTakesOver) {
  options.config.cluster.servers = 2;
  options.config.cluster.replicas = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const std::uint64_t before = scheduler->job().map().version();
  pass(seconds(3), {worker(0), server(1)});
  EXPECT_FALSE(finished);
  EXPECT_GT(scheduler->job().map().version(), before);
  for (const ShardEntry& entry : scheduler->job().map().entries()) {
    EXPECT_EQ(entry.chain, std::vector<NodeId>{node_ids[server(1)]});
  }
}

TEST_F(SchedulerFailureTest, ASchedulerThatWasCutOffDropsNobodyWhoComesBackWithinALease) {
  options.config.cluster.servers = 2;
  options.config.cluster.replicas = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const std::uint64_t before = scheduler->job().map().version();
  pass(seconds(3), {worker(0)});
  greet_server(1);
  pass(milliseconds(1500), {worker(0), server(1)});
  greet_server(0);
  pass(seconds(3), {worker(0), server(0), server(1)});
  EXPECT_EQ(scheduler->job().map().version(), before) << "each chain is as it was";
  pass(seconds(3), {worker(0)});
  greet_server(1);
  pass(seconds(3), {worker(0), server(1)});
  for (const ShardEntry& entry : scheduler->job().map().entries()) {
    EXPECT_EQ(entry.chain, std::vector<NodeId>{node_ids[server(1)]}) << "the other has not come";
  }
}

TEST_F(SchedulerFailureTest, AnErrorOfAnItemFailsTheJobWithTheWorkersName) {
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  EXPECT_FALSE(done(0, *grant, "", "out of memory"));
  EXPECT_EQ(scheduler->job().facts().end_text, "worker-0: out of memory");
  EXPECT_FALSE(last_sent<JobEnded>(server(0))->ok);
  EXPECT_EQ(refusal_of(tell(1, hello(Role::kWorker, 5))), RefusalReason::kJobEnded);
  EXPECT_NE(first<JobEnded>(tell(worker(0), WorkRequest{})), nullptr) << "for one that missed the farewell";
}

TEST_F(SchedulerFailureTest, ARefusedBatchIsAWarningAndStandsInTheLastWords) {
  options.config.train.partitions = 1;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  WorkCursor cursor = at(*grant, 5);
  const auto warnings = [&] { return scheduler->job().facts().warnings; };
  tell(worker(0), WorkProgress{node_ids[worker(0)], {cursor}});
  EXPECT_EQ(warnings().size(), 0U);
  for (cursor.bad_batches = 1; cursor.bad_batches < 3; ++cursor.bad_batches) {
    tell(worker(0), WorkProgress{node_ids[worker(0)], {cursor}});
    ASSERT_EQ(warnings().size(), 1U) << "once a partition";
  }
  EXPECT_EQ(warnings()[0].substr(0, 77),
            "pass 1, partition 0: a batch was refused for values that are not finite; work");
  cursor.bad_batches = 2;
  tell(worker(0), WorkDone{node_ids[worker(0)], cursor, "", {}});
  work_off(0);
  EXPECT_EQ(
      scheduler->job().facts().end_text,
      "trained\nrefused for values that are not finite: 2 batches of pass 1; the workers' logs name them");
}

TEST_F(SchedulerFailureTest, TooManyBadBatchesFailTheJob) {
  options.config.train.max_bad_batches = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  WorkCursor cursor = at(*grant, 5);
  cursor.bad_batches = 2;
  tell(worker(0), WorkProgress{node_ids[worker(0)], {cursor}});
  EXPECT_EQ(state(), JobState::kRunning);
  cursor.bad_batches = 3;
  tell(worker(0), WorkProgress{node_ids[worker(0)], {cursor}});
  EXPECT_EQ(state(), JobState::kFailed);
}

TEST_F(SchedulerFailureTest, EveryWorkerLost) {
  options.config.cluster.startup_timeout_ms = 10000;
  ASSERT_TRUE(start().ok());
  gather();
  pass(seconds(11), {server(0)});
  EXPECT_FALSE(finished);
  pass(seconds(4), {server(0)});
  EXPECT_EQ(text, "every worker was lost and none came back");
}

TEST_F(SchedulerFailureTest, ALateWorkerThatDisagreesGetsNoWorkAndHarmsNobody) {
  ASSERT_TRUE(start().ok());
  gather();
  greet_worker(1);
  WorkerReady other = ready_message();
  other.data_fingerprint = 5;
  tell(worker(1), other, 0);
  EXPECT_EQ(state(), JobState::kRunning);
  EXPECT_FALSE(ask(1).has_value());
  EXPECT_EQ(scheduler->job().facts().warnings.size(), 1U);
  EXPECT_TRUE(ask(0).has_value());
}

TEST_F(SchedulerFailureTest, EarlyStoppingWithNothingToGoByIsRefused) {
  options.config.train.early_stop_patience = 1;
  for (const bool validates : {true, false}) {
    parts = validates ? std::vector<EvaluatePart>{{"valid", 1}} : std::vector<EvaluatePart>{{"test", 1}};
    ASSERT_TRUE(start().ok());
    greet_server(0);
    greet_worker(0);
    ready(0);
    EXPECT_EQ(
        scheduler->job().facts().end_text.find("the split left no validation events") != std::string::npos,
        !validates)
        << scheduler->job().facts().end_text;
  }
}

TEST_F(SchedulerFailureTest, RequestsThatGetLostAreSentAgainWithTheSameId) {
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  ready(0);
  std::uint64_t once = 0, again = 0;
  ASSERT_NE(last_sent<DeclareTables>(server(0), &once), nullptr);
  pass(seconds(2), {server(0), worker(0)});
  last_sent<DeclareTables>(server(0), &again);
  EXPECT_GE(count_sent<DeclareTables>(), 2U);
  EXPECT_EQ(once, again);
  tables_ready();
  EXPECT_EQ(state(), JobState::kRunning);
  tables_ready();
  EXPECT_EQ(state(), JobState::kRunning) << "a second answer changes nothing";
}

// As if it had died: whoever is told that the job has ended would throw its rows away.
TEST_F(SchedulerFailureTest, AJournalThatFailsStopsTheSchedulerAndNotTheJob) {
  ASSERT_TRUE(start().ok());
  gather();
  disk.fail_with = "disk broken";
  const std::size_t said = net->sent.size();
  EXPECT_FALSE(ask(0).has_value());
  beat(worker(0));
  greet_server(9);
  pass(seconds(5), {server(0)});
  EXPECT_EQ(net->sent.size(), said) << "nothing more to anybody";
  EXPECT_TRUE(scheduler->job().halted() && finished);
  for (const char* words : {"append to journal", "disk broken", "--recover", "go on without it for 5 s"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << " in: " << text;
  }
}

// The room that was set aside for the journal lasts for a while, and the operator is told.
TEST_F(SchedulerFailureTest, AFullDiskDoesNotStopTheScheduler) {
  ASSERT_TRUE(start().ok());
  gather();
  std::uint32_t node = 100;
  const auto write_some = [&] {
    for (const std::uint32_t end = node + 50; node < end; ++node) greet_worker(node);
  };
  const auto warnings = [&] { return scheduler->job().facts().warnings; };
  disk.full = true;
  write_some();
  ASSERT_EQ(warnings().size(), 1U);
  for (const char* words : {"the journal's disk is full: work/journal: no room", "1019 KiB"}) {
    EXPECT_NE(warnings()[0].find(words), std::string::npos) << words << " in: " << warnings()[0];
  }
  write_some();
  EXPECT_EQ(warnings().size(), 1U) << "once";
  disk.full = false;
  write_some();
  disk.full = true;
  write_some();
  EXPECT_EQ(warnings().size(), 2U) << "it was well in between";
  EXPECT_FALSE(scheduler->job().ended());
}

TEST_F(SchedulerFailureTest, StatusTellsToolsAndIsJson) {
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 5);
  Heartbeat heartbeat;
  heartbeat.node_id = node_ids[server(0)];
  heartbeat.incarnation = 1;
  heartbeat.rows = 12;
  heartbeat.stats_json = R"({"pushes_applied":3,"staleness":[1,2]})";
  tell(server(0), heartbeat);
  Hello tool;
  tool.job_id = "job";
  tell(1, tool);
  const auto answers = tell(1, StatusRequest{});
  const auto* status = first<StatusReply>(answers);
  ASSERT_NE(status, nullptr);
  for (const char* part :
       {R"("state":"running")", R"("waits_for":"training pass 1 of 1")", R"("staleness":[1,2])",
        R"("rows":12)", R"("holder":"worker-0")", R"("watermark":5)", R"("pushes_applied":3)"}) {
    EXPECT_NE(status->json.find(part), std::string::npos) << part << " in " << status->json;
  }
  tell(1, StopJob{"Ctrl-C", false});
  EXPECT_EQ(state(), JobState::kFailed);
  EXPECT_EQ(last_sent<JobEnded>(1)->text,
            "stopped: Ctrl-C. There is no checkpoint to resume from; set checkpoint.path to have one");
}

}  // namespace
}  // namespace capstan
