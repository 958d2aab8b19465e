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

}  // namespace
}  // namespace capstan
