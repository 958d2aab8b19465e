// Two schedulers of one job with a real etcd between them, and servers and workers that know both.
#include "tests/e2e/etcd_process.h"
#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class TwoSchedulers : public LedgerScene {
 protected:
  void SetUp() override {
    if (const std::string missing = EtcdProcess::missing(); !missing.empty()) GTEST_SKIP() << missing;
    lease_ = "1s";
    etcd_.start();
    ASSERT_TRUE(etcd_.answers()) << etcd_.log();
  }

  // Begins with a scheduler that leads, all servers and both workers.
  void start_job(const std::string& train, const std::string& lease, std::uint32_t servers = 2,
                 std::uint32_t replicas = 1) {
    write_job(train, servers, replicas);
    write("job.yaml",
          text_of(path("job.yaml")) + fmt::format("scheduler: {{store: etcd, endpoints: [{}], lease: {}}}\n",
                                                  etcd_.endpoint(), lease));
    for (std::string& each : binds_) each = "tcp://127.0.0.1:" + std::to_string(free_port());
    endpoint_ = binds_[0] + "," + binds_[1];
    scheduler_ = start_scheduler(0);
    ASSERT_TRUE(says(*scheduler_, "scheduler of job")) << scheduler_->err();
    for (std::uint32_t n = 0; n < servers; ++n) start_server(fmt::format("ps-{}", n));
    start_worker("worker-0");
    start_worker("worker-1");
  }

  std::unique_ptr<Process> start_scheduler(std::size_t n) {
    return start({"scheduler", path("job.yaml"), "--bind", binds_[n], "--name",
                  fmt::format("scheduler-{}", n), "--recover"});
  }
  static bool says(const Process& process, const std::string& words) {
    return eventually([&] { return process.err().find(words) != std::string::npos; }, kPatience);
  }
  // Starts the second scheduler, which finds the first one leading.
  std::unique_ptr<Process> start_second() {
    auto second = start_scheduler(1);
    EXPECT_TRUE(says(*second, "waiting for the lead, held by scheduler-0 (")) << second->err();
    return second;
  }
  // How long it took from now until it leads and listens.
  std::chrono::milliseconds until_it_leads(const Process& process) {
    const auto from = std::chrono::steady_clock::now();
    EXPECT_TRUE(says(process, "scheduler of job")) << process.err();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - from);
  }

  EtcdProcess etcd_{path()};
  std::string binds_[2];
};

TEST_F(TwoSchedulers, TheLeaderIsKilledAndTheJobGoesOn) {
  write(kPaceFile, "30");  // longer than all of this takes
  ASSERT_NO_FATAL_FAILURE(start_job("pipeline_depth: 3", "3s", 3, 2));
  const auto second = start_second();
  ASSERT_TRUE(goes_on(40)) << scheduler_->err();
  scheduler_->signal(SIGKILL);
  const auto took = until_it_leads(*second);
  std::printf("kill -9 of the leader, lease 3 s: another one led and listened after %d ms\n",
              static_cast<int>(took.count()));
  ASSERT_TRUE(goes_on(40)) << second->err();
  EXPECT_THAT(second->err(), HasSubstr("generation 2: going on from the journal, running"));
  EXPECT_EQ(number_at(status(), "generation"), 2.0) << "a tool finds who leads";
  // And back again, with a server lost meanwhile.
  const auto third = start_scheduler(0);
  ASSERT_TRUE(says(*third, "waiting for the lead, held by scheduler-1 (")) << third->err();
  ASSERT_TRUE(eventually([&] { return is_whole(5, 2); }, kPatience)) << second->err();
  kill_node("ps-1");
  second->signal(SIGKILL);
  until_it_leads(*third);
  write(kPaceFile, "0");
  EXPECT_EQ(third->wait(kPatience), 0) << third->err();
  EXPECT_TRUE(all_gone());
  EXPECT_EQ(at(json("report.json"), "state"), "done");
  expect_rows_exact();
}

TEST_F(TwoSchedulers, CountsAreExactOverAChangeOfLeaders) {
  ASSERT_NO_FATAL_FAILURE(start_job("consistency: sync", "2s"));
  const auto second = start_second();
  ASSERT_TRUE(goes_on(30)) << scheduler_->err();
  scheduler_->signal(SIGKILL);
  EXPECT_EQ(second->wait(kPatience), 0) << second->err();
  EXPECT_TRUE(all_gone());
  expect_counts_exact(true);
  expect_rows_exact();
}

TEST_F(TwoSchedulers, AStoppedLeaderWakesToFindItselfReplaced) {
  ASSERT_NO_FATAL_FAILURE(start_job("pipeline_depth: 3", "2s"));
  const auto second = start_second();
  ASSERT_TRUE(goes_on(40)) << scheduler_->err();
  scheduler_->signal(SIGSTOP);
  until_it_leads(*second);
  ASSERT_TRUE(goes_on(20)) << second->err();
  scheduler_->signal(SIGCONT);
  EXPECT_EQ(scheduler_->wait(kPatience), 3) << scheduler_->err();
  for (const char* words : {"given up this scheduler's lead", "it is led by scheduler-1 (",
                            "This scheduler stops, without a word to servers and workers"}) {
    EXPECT_THAT(scheduler_->err(), HasSubstr(words));
  }
  EXPECT_EQ(second->wait(kPatience), 0) << second->err();
  EXPECT_TRUE(all_gone());
  expect_counts_exact(false);
  expect_rows_exact();
}

// The one that waits ends with the job, and as it did.
TEST_F(TwoSchedulers, WhoeverWaitsEndsWithTheJob) {
  ASSERT_NO_FATAL_FAILURE(start_job("pipeline_depth: 3", "2s"));
  const auto second = start_second();
  expect_job_ends_well();
  EXPECT_EQ(second->wait(kPatience), 0) << second->err();
  EXPECT_THAT(second->err(), HasSubstr("job ended: "));
}

TEST_F(TwoSchedulers, WhoeverWaitsEndsByASignalAlone) {
  ASSERT_NO_FATAL_FAILURE(start_job("pipeline_depth: 3", "2s"));
  const auto second = start_second();
  second->signal(SIGTERM);
  EXPECT_EQ(second->wait(kPatience), 0) << second->err();
  expect_job_ends_well();
  expect_rows_exact();
}

// Until the lead was not renewed, which leaves the most part of the lease. A record that comes due meanwhile
// waits, and with it the scheduler.
TEST_F(TwoSchedulers, EtcdAwayForLessThanTheLeaseCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(start_job("pipeline_depth: 3", "60s"));
  ASSERT_TRUE(goes_on(30)) << scheduler_->err();
  etcd_.stop();
  ASSERT_TRUE(says(*scheduler_, "the lead is not renewed: no answer from etcd")) << scheduler_->err();
  etcd_.go_on();
  expect_job_ends_well();
  EXPECT_EQ(scheduler_->err().find("answers nobody"), std::string::npos) << scheduler_->err();
  expect_counts_exact(false);
  expect_rows_exact();
}

TEST_F(TwoSchedulers, EtcdAwayForLongerMakesTheJobStandStill) {
  ASSERT_NO_FATAL_FAILURE(start_job("pipeline_depth: 3", "3s"));
  ASSERT_TRUE(goes_on(30)) << scheduler_->err();
  etcd_.kill();
  // It may be within a record, which waits, or between two.
  const auto stands_still = [this] {
    const std::string log = scheduler_->err();
    return log.find("etcd has not confirmed that this scheduler leads") != std::string::npos ||
           log.find("the job stands still until the journal is written: no answer") != std::string::npos;
  };
  ASSERT_TRUE(eventually(stands_still, kPatience)) << scheduler_->err();
  etcd_.start();
  expect_job_ends_well();
  expect_counts_exact(false);
  expect_rows_exact();
}

TEST_F(TwoSchedulers, WithoutEtcdASchedulerSaysWhatItWaitsFor) {
  etcd_.kill();
  write_job("pipeline_depth: 3");
  write("job.yaml", text_of(path("job.yaml")) +
                        fmt::format("scheduler: {{store: etcd, endpoints: [{}]}}\n", etcd_.endpoint()));
  binds_[0] = "tcp://127.0.0.1:0";
  const auto alone = start_scheduler(0);
  EXPECT_TRUE(says(*alone, "waiting for the lead: no answer from etcd (" + etcd_.endpoint())) << alone->err();
  alone->signal(SIGTERM);
  EXPECT_EQ(alone->wait(kPatience), 0) << alone->err();
}

}  // namespace
}  // namespace capstan
