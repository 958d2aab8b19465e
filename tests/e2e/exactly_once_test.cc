// Workers and whole clusters ended by kill -9, and the rows against a ledger that the test keeps itself.
#include <fstream>

#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class ExactlyOnce : public LedgerScene {};

TEST_F(ExactlyOnce, WhenWorkersAreKilledInMidRun) {
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(eventually([&] { return computed(0, 1) >= 30; }, kPatience)) << scheduler_->err();
  kill_node("worker-0");
  start_worker("worker-2");  // one that joins late
  ASSERT_TRUE(eventually([&] { return computed(2, 3) >= 30; }, kPatience)) << scheduler_->err();
  kill_node("worker-1");
  start_worker("worker-1");  // one that takes a dead one's place
  expect_job_ends_well();
  expect_rows_exact();
  expect_counts_exact(false);
  EXPECT_GE(computed(), batches());
  const auto report = json("report.json");
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("worker-0 was lost"));
  EXPECT_THAT(serialize(at(report, "warnings")), HasSubstr("worker-1 was lost"));
}

TEST_F(ExactlyOnce, WhenAWorkerIsKilledInSync) {
  write_job("consistency: sync");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(eventually([&] { return computed(0, 1) >= 30; }, kPatience)) << scheduler_->err();
  kill_node("worker-0");
  expect_job_ends_well();
  expect_rows_exact();
  expect_counts_exact(true);
}

TEST_F(ExactlyOnce, WhenTheWholeClusterIsKilledAndResumes) {
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  const std::string manifest = path("checkpoints/ckpt-000001/MANIFEST.json");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(manifest); }, kPatience)) << scheduler_->err();
  const std::uintmax_t at_cut = computed();
  // Some that no checkpoint knows of.
  ASSERT_TRUE(eventually([&] { return computed() >= at_cut + 5; }, kPatience)) << scheduler_->err();
  for (const RunningProcess& process : processes()) kill(process.pid, SIGKILL);
  ASSERT_TRUE(all_gone());
  EXPECT_LT(computed(), batches());
  const std::size_t before = lives_.size();
  others_.clear();
  ASSERT_NO_FATAL_FAILURE(start_cluster(true));
  expect_job_ends_well();
  expect_rows_exact();
  expect_counts_exact(false);
  EXPECT_LT(computed(before), batches()) << "it began anew";
  EXPECT_THAT(serialize(at(json("report.json"), "resumed_from")), HasSubstr("ckpt-"));
}

class ASlowWorker : public LedgerScene {
 protected:
  ASlowWorker() : LedgerScene(kLongSeed) {}
};

// Its items are split, and then it dies with what it kept.
TEST_F(ASlowWorker, IsHelped) {
  write(kPaceFile, "1");
  write_job("pipeline_depth: 3");
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  std::ofstream(lives_[0] + "/" + kPaceFile) << 60;
  const auto split = [&] { return scheduler_->err().find("worker-0 is slow; batches") != std::string::npos; };
  ASSERT_TRUE(eventually(split, kPatience)) << scheduler_->err();
  kill_node("worker-0");
  start_worker("worker-2");
  expect_job_ends_well();
  expect_rows_exact();
  expect_counts_exact(false);
  const auto report = json("report.json");
  EXPECT_EQ(number_at(report, "examples"), static_cast<double>(batches()));
  EXPECT_GE(number_at(report, "items_split"), 1.0);
}

}  // namespace
}  // namespace capstan
