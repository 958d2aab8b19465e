// Two runs in one folder.
#include <spdlog/fmt/fmt.h>

#include <csignal>
#include <regex>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::HasSubstr;

class Lock : public Scene {
 protected:
  std::string long_job() const {
    return ratings_job("{passes: 1000, batch_size: 64}",
                       "checkpoint: {path: " + path("checkpoints") + ", every_steps: 50, keep: 2}");
  }
  static bool has_trained(Process& run) {
    return eventually(
        [&] { return run.ended() || std::regex_search(run.out(), std::regex("pass ([2-9]|\\d{2,})/")); },
        kPatience);
  }
};

TEST_F(Lock, ASecondRunIsRefusedAndAKilledOneLeavesNoLock) {
  const std::string job = long_job();
  const auto first = start({"run", job});
  ASSERT_TRUE(has_trained(*first)) << first->err();
  const pid_t scheduler = *find("scheduler");

  const Outcome same_folder = run({"run", job});
  EXPECT_EQ(same_folder.code, 1);
  EXPECT_THAT(same_folder.err,
              HasSubstr(fmt::format("{} is in use: process {} holds", path("work"), first->pid())));
  EXPECT_THAT(same_folder.err, HasSubstr("--set work_dir=DIR"));

  const Outcome same_checkpoints = run({"run", job, "--set", "work_dir=" + path("other")});
  EXPECT_EQ(same_checkpoints.code, 1);
  EXPECT_THAT(same_checkpoints.err,
              HasSubstr(fmt::format("{} is in use: process {} holds", path("checkpoints"), scheduler)));
  EXPECT_FALSE(first->ended()) << "the first goes on undisturbed";

  // Its scheduler takes a moment to end by itself.
  first->signal(SIGKILL);
  const auto resumed = start({"run", job, "--resume"});
  EXPECT_TRUE(has_trained(*resumed));
  EXPECT_FALSE(resumed->ended()) << resumed->err();
  resumed->signal(SIGINT);
  EXPECT_EQ(resumed->wait(kPatience), 1);
  EXPECT_TRUE(all_gone(10s));
}

}  // namespace
}  // namespace capstan
