// Servers ended by kill -9, stopped and woken again, under replicas: the job goes on, and the rows are exact.
#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class Replication : public LedgerScene {};

TEST_F(Replication, AServerKilledInMidRunCostsNothing) {
  write_job("pipeline_depth: 3", 3, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(60)) << scheduler_->err();
  kill_node("ps-1");
  ASSERT_TRUE(goes_on(100)) << scheduler_->err();
  expect_job_ends_well();
  expect_rows_exact();
  EXPECT_THAT(warnings(), HasSubstr("server ps-1 was lost; its shards go on at their backups"));
}

// The one that came back has the rows when the next one dies.
TEST_F(Replication, ServersKilledOneAfterTheOtherInSync) {
  write_job("consistency: sync", 2, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(40)) << scheduler_->err();
  kill_node("ps-0");
  ASSERT_TRUE(goes_on(40)) << scheduler_->err();
  start_server("ps-0");
  const auto chains_are_whole = [this] {
    return scheduler_->err().find("all chains are whole again") != std::string::npos;
  };
  ASSERT_TRUE(eventually(chains_are_whole, kPatience)) << scheduler_->err();
  kill_node("ps-1");
  expect_job_ends_well();
  expect_rows_exact();
  EXPECT_THAT(warnings(), HasSubstr("server ps-1 was lost"));
}

TEST_F(Replication, AStoppedServerWakesToFindItselfReplaced) {
  write_job("pipeline_depth: 3", 3, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(60)) << scheduler_->err();
  kill_node("ps-0", SIGSTOP);
  ASSERT_TRUE(goes_on(100)) << scheduler_->err();
  kill_node("ps-0", SIGCONT);
  expect_job_ends_well();
  expect_rows_exact();
  EXPECT_THAT(warnings(), HasSubstr("server ps-0 was lost; its shards go on at their backups"));
}

}  // namespace
}  // namespace capstan
