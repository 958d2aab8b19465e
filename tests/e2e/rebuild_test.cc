// The scheduler ended by kill -9 with its journal gone: another asks the servers, and the rows are exact.
#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class Rebuild : public LedgerScene {
 protected:
  // At the address that the nodes know.
  void start_scheduler_again(const std::vector<std::string>& how) {
    std::vector<std::string> args = {"scheduler", path("job.yaml"), "--bind", endpoint_};
    args.insert(args.end(), how.begin(), how.end());
    scheduler_ = start_node("scheduler", args);
  }
  bool scheduler_says(const std::string& words) {
    return eventually([&] { return scheduler_->err().find(words) != std::string::npos; }, kPatience);
  }
  void lose_scheduler_and_journal() {
    kill_node("scheduler");
    scheduler_->wait(kPatience);
    std::filesystem::remove(path("work/journal"));
  }
};

TEST_F(Rebuild, AJobGoesOnWithoutItsJournal) {
  write_job("pipeline_depth: 3", 3, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(120)) << scheduler_->err();
  lose_scheduler_and_journal();
  start_scheduler_again({"--rebuild"});
  ASSERT_TRUE(scheduler_says("rebuilt from 3 servers")) << scheduler_->err();
  expect_job_ends_well();
  expect_rows_exact();
  expect_counts_exact(false);
}

TEST_F(Rebuild, AServerThatIsGoneIsWaitedForUntilItIsGivenUp) {
  write_job("pipeline_depth: 3", 3, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(60)) << scheduler_->err();
  kill_node("ps-1");
  lose_scheduler_and_journal();
  start_scheduler_again({"--rebuild"});
  ASSERT_TRUE(scheduler_says("heard ps-0, ps-2; waiting for ps-1 (")) << scheduler_->err();
  EXPECT_THAT(std::string(at(status(), "waits_for").as_string()), HasSubstr("waiting for ps-1"));
  kill_node("scheduler", SIGTERM);
  scheduler_->wait(kPatience);
  start_scheduler_again({"--rebuild", "--without", "ps-1"});
  ASSERT_TRUE(scheduler_says("rebuilt from 2 servers")) << scheduler_->err();
  expect_job_ends_well();
  expect_rows_exact();
}

// Nobody said that the job which the nodes live for was to end.
TEST_F(Rebuild, ASchedulerThatWouldBeginAnewBesideNodesThatLiveStops) {
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(20)) << scheduler_->err();
  kill_node("scheduler");
  scheduler_->wait(kPatience);
  for (int times = 0; times < 2; ++times) {
    start_scheduler_again({});
    EXPECT_EQ(scheduler_->wait(kPatience), 1);
    EXPECT_THAT(scheduler_->err(), HasSubstr("Go on beside the nodes that live with --recover"));
  }
  start_scheduler_again({"--recover"});
  expect_job_ends_well();
  expect_rows_exact();
}

TEST_F(Rebuild, BesideAJournalItIsRefused) {
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(20)) << scheduler_->err();
  kill_node("scheduler");
  scheduler_->wait(kPatience);
  start_scheduler_again({"--rebuild"});
  EXPECT_EQ(scheduler_->wait(kPatience), 1);
  EXPECT_THAT(scheduler_->err(), HasSubstr("work/journal is there: --recover goes on from it"));
  start_scheduler_again({"--recover"});
  expect_job_ends_well();
  expect_rows_exact();
}

}  // namespace
}  // namespace capstan
