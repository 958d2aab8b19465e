#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Scenario;

class SchedulerTest : public ::testing::Test, public Scenario {};

TEST_F(SchedulerTest, CarriesASimpleJobFromWaitingToDone) {
  options.config.train.passes = 2;
  options.config.train.partitions = 3;
  options.config.report = "out/report.json";
  parts = {{"test", 2}, {"baseline:popular", 1}};
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(scheduler->job().waits_for(),
            "0 of 1 servers registered, waiting for ps-0; 0 of 1 workers registered, waiting for worker-0");
  greet_server(0);
  greet_worker(0);
  EXPECT_EQ(state(), JobState::kPreparing);
  EXPECT_FALSE(ask(0).has_value());
  ready(0);
  const auto* update = last_sent<MapUpdate>(server(0));
  ASSERT_NE(update, nullptr);
  EXPECT_EQ(update->shards.size(), 16U);
  EXPECT_EQ(update->version, (1ULL << 32) + 1);
  tables_ready();
  EXPECT_EQ(state(), JobState::kRunning);

  const std::vector<WorkId> items = work_off(0);
  ASSERT_EQ(items.size(), 2 * 3 + 3 + 1U);
  EXPECT_EQ(items[0], (WorkId{kTrainWork, 0, 0, ""}));
  EXPECT_EQ(items[5], (WorkId{kTrainWork, 1, 2, ""}));
  EXPECT_EQ(items[9], (WorkId{kMergeWork, 1, 0, "report"}));
  EXPECT_EQ(merge_inputs, (std::vector<std::string>{"test/0", "test/1", "baseline:popular/0"}));
  EXPECT_EQ(state(), JobState::kDone);
  ASSERT_NE(last_sent<JobEnded>(worker(0)), nullptr);
  EXPECT_TRUE(last_sent<JobEnded>(server(0))->ok);
  loop.advance(seconds(1));
  EXPECT_TRUE(finished && ok);
  EXPECT_EQ(text, "fine");
  const std::string& report = disk.files.at("out/report.json");
  EXPECT_NE(report.find(R"("test":{"better":1,"text":"fine"})"), std::string::npos) << report;
  EXPECT_NE(report.find(R"("test_evaluations":1)"), std::string::npos) << report;
}

TEST_F(SchedulerTest, WhatEachUserGotIsWrittenBesideTheReport) {
  parts = {{"test", 1}};
  options.config.report = "out/report.json";
  ASSERT_TRUE(start().ok());
  gather();
  work_off(0, std::string(R"({"better": 1, "text": "fine"})") + '\0' + "PK values");
  EXPECT_EQ(disk.files.at("out/report.values.npz"), "PK values");
  const std::string& report = disk.files.at("out/report.json");
  EXPECT_NE(report.find(R"("values":"report.values.npz")"), std::string::npos) << report;
  EXPECT_NE(report.find(R"("text":"fine"})"), std::string::npos) << report;
}

// Heartbeats are a second old by the time a job ends: the report asks for the last counters.
TEST_F(SchedulerTest, TheReportHasTheLastCountersOfEveryNode) {
  options.config.train.partitions = 2;
  options.config.cluster.servers = 2;
  options.config.report = "report.json";
  ASSERT_TRUE(start().ok());
  gather();
  stats_of[server(0)] = R"({"pushes_applied": 7, "pushes_refused": 1, "rows": 30, "bytes": 900})";
  stats_of[server(1)] = R"({"pushes_applied": 4, "rows": 10, "bytes": 300})";
  stats_of[worker(0)] = R"({"pushes_sent": 12, "pushes_abandoned": 0, "bytes_pushed": 480})";
  slices_each = 6;
  work_off(0);
  const std::string& report = disk.files.at("report.json");
  EXPECT_NE(report.find(R"("pushes":{"sent":12,"acknowledged":12,"applied":11,"deduplicated":0,"fenced":0,)"
                        R"("refused":1,"abandoned":0,"lost":0})"),
            std::string::npos)
      << report;
  EXPECT_NE(report.find(R"("bytes":{"pushed":480,"pulled":0,"rows":1200})"), std::string::npos) << report;
  EXPECT_NE(report.find(R"("rows":30,"bytes":900,"share_of_rows":7.5E-1)"), std::string::npos) << report;
}

TEST_F(SchedulerTest, AServerOverItsMemoryLimitIsNamedOnce) {
  ASSERT_TRUE(start().ok());
  memory_limit = 64 << 20;
  gather();
  Heartbeat heartbeat;
  heartbeat.node_id = node_ids[server(0)];
  heartbeat.incarnation = 1;
  heartbeat.bytes = memory_limit;
  tell(server(0), heartbeat);
  EXPECT_EQ(scheduler->job().facts().warnings.size(), 0U) << "it keeps it";
  heartbeat.bytes = 1160 << 20;
  for (int i = 0; i < 3; ++i) tell(server(0), heartbeat);
  ASSERT_EQ(scheduler->job().facts().warnings.size(), 1U);
  EXPECT_NE(scheduler->status().find("ps-0 cannot keep its memory limit: its tables take 1160.0 MiB of 64.0"),
            std::string::npos);
}

TEST_F(SchedulerTest, AServerThatEvictsToKeepItsMemoryLimitIsNamedOnce) {
  ASSERT_TRUE(start().ok());
  memory_limit = 64 << 20;
  gather();
  Heartbeat heartbeat;
  heartbeat.node_id = node_ids[server(0)];
  heartbeat.incarnation = 1;
  heartbeat.bytes = 60 << 20;
  heartbeat.stats_json = R"({"rows_evicted_for_memory":0})";
  tell(server(0), heartbeat);
  EXPECT_EQ(scheduler->job().facts().warnings.size(), 0U);
  heartbeat.stats_json = R"({"rows_evicted_for_memory":7})";
  for (int i = 0; i < 3; ++i) tell(server(0), heartbeat);
  ASSERT_EQ(scheduler->job().facts().warnings.size(), 1U);
  EXPECT_NE(scheduler->status().find("ps-0 has reached its memory limit, 64.0 MiB: it evicts the rows"),
            std::string::npos);
}

TEST_F(SchedulerTest, SketchesAreSizedWithinTheServersMemory) {
  min_count = 3;
  memory_limit = 8 << 20;
  options.config.cluster.servers = 2;
  ASSERT_TRUE(start().ok());
  gather();
  // A quarter of 16 MiB over 16 shards of 4 rows of counters.
  EXPECT_EQ(last_sent<DeclareTables>(server(0))->sketch_width, 1U << 16);
  EXPECT_EQ(last_sent<DeclareTables>(server(1))->sketch_width, 1U << 16);
}

TEST_F(SchedulerTest, AJobWhoseSketchesDoNotFitIsRefusedAtItsStart) {
  min_count = 3;
  memory_limit = 1000;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  ready(0);
  EXPECT_EQ(state(), JobState::kFailed);
  EXPECT_NE(scheduler->job().facts().end_text.find("Raise cluster.memory_limit"), std::string::npos);
}

// Sums of floats depend on their order, and reports come as they like.
TEST_F(SchedulerTest, ThePassLossIsTheSameWhateverTheOrderOfReports) {
  options.config.train.partitions = 3;
  options.config.cluster.workers = 3;
  const double losses[] = {0.1, 0.7, 1e15};
  std::vector<double> sums;
  for (const auto& order : {std::vector<std::uint32_t>{0, 1, 2}, {2, 1, 0}, {1, 2, 0}}) {
    ASSERT_TRUE(start().ok());
    gather();
    std::map<std::uint32_t, WorkGrant> grants;
    for (std::uint32_t n = 0; n < 3; ++n) grants[n] = *ask(n);
    for (const std::uint32_t n : order) {
      WorkDone message{node_ids[worker(n)], finished_at(grants[n]), "", {}};
      message.cursor.loss_sum = losses[n];
      tell(worker(n), message);
    }
    ASSERT_EQ(scheduler->job().facts().passes.size(), 1U);
    sums.push_back(scheduler->job().facts().passes[0].loss_sum);
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

TEST_F(SchedulerTest, AnAcknowledgedPushThatNoRowHoldsIsReportedLost) {
  options.config.train.partitions = 1;
  options.config.report = "report.json";
  ASSERT_TRUE(start().ok());
  gather();
  stats_of[server(0)] = R"({"pushes_applied": 5})";
  slices_each = 6;
  work_off(0);
  EXPECT_NE(disk.files.at("report.json").find(R"("lost":1)"), std::string::npos);
}

TEST_F(SchedulerTest, ANodeThatDoesNotCountIsNotWaitedForLong) {
  options.config.report = "report.json";
  ASSERT_TRUE(start().ok());
  gather();
  silent = {server(0)};
  work_off(0);
  EXPECT_EQ(state(), JobState::kDone);
  EXPECT_EQ(last_sent<JobEnded>(worker(0)), nullptr);
  EXPECT_TRUE(ask(0) == std::nullopt) << "there is nothing more to do";
  loop.advance(seconds(1));
  ASSERT_NE(last_sent<JobEnded>(worker(0)), nullptr);
  EXPECT_NE(disk.files.at("report.json").find("ps-0 did not give its last counters"), std::string::npos);
}

}  // namespace
}  // namespace capstan
