// How a run ends that does not come to its own end, and what it says about going on.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kLong = "{passes: 1000, batch_size: 64}";  // never ends by itself in a test

class End : public Scene {
 protected:
  std::string kept(const std::string& how) const {
    return "checkpoint: {path: " + path("checkpoints") + ", " + how + "}";
  }
  static bool has_trained(Process& run) {
    return eventually(
               [&] {
                 return run.ended() || std::regex_search(run.out(), std::regex("pass ([2-9]|\\d{2,})/"));
               },
               kPatience) &&
           !run.ended();
  }
};

TEST_F(End, AClosedTerminalKeepsACheckpoint) {
  const auto run = start({"run", ratings_job(kLong, kept("every_steps: 1000000"))});
  ASSERT_TRUE(has_trained(*run)) << run->err();
  run->signal(SIGHUP);
  EXPECT_EQ(run->wait(kPatience), 1);
  EXPECT_THAT(run->err(), AllOf(HasSubstr("its terminal closed"),
                                ContainsRegex("checkpoint .*ckpt-.* is kept, go on with --resume")));
  EXPECT_TRUE(processes().empty());
}

TEST_F(End, ALostServerOfARunWithoutCheckpointsIsNoReasonToResume) {
  const auto run = start({"run", ratings_job(kLong, kept("every_steps: 1000000"))});
  ASSERT_TRUE(has_trained(*run)) << run->err();
  kill(*find("ps-1"), SIGKILL);
  EXPECT_EQ(run->wait(kPatience), 1);
  EXPECT_THAT(run->err(), AllOf(HasSubstr("ps-1 ended: killed by signal 9"), Not(HasSubstr("--resume")),
                                HasSubstr("There is no checkpoint of this run to resume from yet")));
}

TEST_F(End, WithReplicasALostServerIsNoReasonToEnd) {
  const std::string job = ratings_job("{passes: 300, batch_size: 64}");
  const auto run = start({"run", job, "--set", "cluster.replicas=2"});
  ASSERT_TRUE(has_trained(*run)) << run->err();
  kill(*find("ps-1"), SIGKILL);
  EXPECT_EQ(run->wait(kPatience), 0) << run->err() << run->out();
  EXPECT_THAT(run->err(), HasSubstr("ps-1 ended: killed by signal 9 (Killed); another one takes its place"));
  EXPECT_EQ(number_at(json("report.json"), "pushes.lost"), 0.0);
}

TEST_F(End, AKilledSchedulerIsReplacedAndTheRunGoesOn) {
  const auto run = start({"run", ratings_job("{passes: 300, batch_size: 64}")});
  ASSERT_TRUE(has_trained(*run)) << run->err();
  for (int times = 0; times < 2; ++times) {
    const auto scheduler = find("scheduler");
    ASSERT_TRUE(scheduler.has_value());
    kill(*scheduler, SIGKILL);
    EXPECT_TRUE(eventually(
        [&] {
          const auto next = find("scheduler");
          return next.has_value() && next != scheduler;
        },
        kPatience));
  }
  EXPECT_EQ(run->wait(kPatience), 0) << run->err() << run->out();
  EXPECT_THAT(run->err(),
              HasSubstr("scheduler ended: killed by signal 9 (Killed); another one goes on from its "
                        "journal"));
  EXPECT_EQ(number_at(json("report.json"), "pushes.lost"), 0.0);
}

// The newest of two checkpoints is truncated: it is named, and the one before judged.
TEST_F(End, EvalNamesADamagedCheckpointAndJudgesTheOneBefore) {
  const std::string job =
      ratings_job("{passes: 12, batch_size: 64}", kept("every_steps: 20, keep: 2, full_every: 1"));
  const Outcome trained = run({"run", job});
  ASSERT_EQ(trained.code, 0) << trained.err << trained.out;
  std::filesystem::path newest, before;
  for (const auto& entry : std::filesystem::directory_iterator(path("checkpoints"))) {
    if (!entry.is_directory()) continue;
    before = std::max(before, std::min(newest, entry.path()));
    newest = std::max(newest, entry.path());
  }
  ASSERT_FALSE(before.empty());
  std::filesystem::resize_file(newest / "ps-0.rows", 100);
  const Outcome judged = run({"eval", job, "--report", path("eval.json")});
  EXPECT_EQ(judged.code, 0) << judged.err;
  EXPECT_THAT(judged.err, AllOf(HasSubstr("passed over a damaged checkpoint"),
                                HasSubstr((newest / "ps-0.rows").string() + " is not whole"),
                                HasSubstr(before.string() + " is read instead")));
  EXPECT_EQ(at(json("eval.json"), "checkpoint"), boost::json::value(before.string()));
  EXPECT_THAT(serialize(at(json("eval.json"), "warnings")), HasSubstr("is not whole"));
  std::ofstream(before / "MANIFEST.json", std::ios::app) << "x";
  const Outcome none = run({"eval", job});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("no checkpoint that can be read"));
}

}  // namespace
}  // namespace capstan
