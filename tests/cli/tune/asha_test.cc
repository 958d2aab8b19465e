#include "cli/tune/asha.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/rng.h"

namespace capstan {
namespace {

using testing::ElementsAre;
using Task = Asha::Task;

TEST(Rungs, DescendFromAllPassesByEta) {
  EXPECT_THAT(rungs_of(9, 1, 3, 9), ElementsAre(1, 3, 9));
  EXPECT_THAT(rungs_of(10, 1, 3, 27), ElementsAre(1, 3, 10));
  EXPECT_THAT(rungs_of(20, 4, 2, 100), ElementsAre(5, 10, 20));
  EXPECT_THAT(rungs_of(5, 5, 3, 100), ElementsAre(5));
  EXPECT_THAT(rungs_of(0, 1, 3, 9), ElementsAre(0));
}

TEST(Rungs, AreSoFewThatATrialGetsToTheLast) {
  EXPECT_THAT(rungs_of(27, 1, 3, 8), ElementsAre(9, 27));
  EXPECT_THAT(rungs_of(27, 1, 3, 2), ElementsAre(27));
}

// Four trials, eta 2, rungs 0, 1, 2, as in the paper's figure: after two results the better one goes on.
TEST(Asha, PromotesAsSoonAsOneIsAmongTheBest) {
  Asha asha(4, 3, 2);
  EXPECT_EQ(asha.next(), (Task{0, 0}));
  asha.note({0, 0}, 0.3);
  EXPECT_EQ(asha.next(), (Task{1, 0}));
  asha.note({1, 0}, 0.5);
  EXPECT_EQ(asha.next(), (Task{1, 1}));
  asha.note({1, 1}, 0.6);
  EXPECT_EQ(asha.next(), (Task{2, 0}));
  asha.note({2, 0}, 0.1);
  EXPECT_EQ(asha.next(), (Task{3, 0}));
  asha.note({3, 0}, 0.7);
  EXPECT_EQ(asha.next(), (Task{3, 1}));
  asha.note({3, 1}, 0.4);
  EXPECT_EQ(asha.next(), (Task{1, 2}));
  asha.note({1, 2}, 0.8);
  EXPECT_EQ(asha.next(), std::nullopt);
}

TEST(Asha, GivesNoTaskTwiceWhileManyRun) {
  Asha asha(4, 2, 2);
  EXPECT_EQ(asha.next(), (Task{0, 0}));
  EXPECT_EQ(asha.next(), (Task{1, 0}));
  EXPECT_EQ(asha.next(), (Task{2, 0}));
  asha.note({2, 0}, 0.1);
  asha.note({0, 0}, 0.2);
  EXPECT_EQ(asha.next(), (Task{0, 1}));
  EXPECT_EQ(asha.next(), (Task{3, 0}));
  EXPECT_EQ(asha.next(), std::nullopt);
  asha.note({1, 0}, 0.9);
  asha.note({3, 0}, 0.0);
  EXPECT_EQ(asha.next(), (Task{1, 1}));
  EXPECT_EQ(asha.next(), std::nullopt);
}

TEST(Asha, FailedTrialsNeverGoOn) {
  const double failed = -std::numeric_limits<double>::infinity();
  Asha asha(2, 2, 2);
  for (std::uint32_t trial = 0; trial < 2; ++trial) {
    EXPECT_EQ(asha.next(), (Task{trial, 0}));
    asha.note({trial, 0}, failed);
  }
  EXPECT_EQ(asha.next(), std::nullopt);
}

// Whatever was noted before a stop: another one that recalls it goes on with the same tasks.
TEST(Asha, ARecalledSearchIsTheSame) {
  const auto score = [](const Task& task) { return Rng(task.trial * 7 + task.rung).uniform(); };
  for (std::size_t stop = 0; stop < 12; ++stop) {
    Asha whole(9, 3, 3), again(9, 3, 3);
    std::vector<Task> tasks;
    while (const auto task = whole.next()) {
      tasks.push_back(*task);
      if (tasks.size() <= stop) again.recall(*task, score(*task));
      whole.note(*task, score(*task));
    }
    EXPECT_EQ(tasks.size(), 13U);
    for (std::size_t i = stop; i < tasks.size(); ++i) {
      const auto task = again.next();
      ASSERT_EQ(task, tasks[i]) << stop << " " << i;
      again.note(*task, score(*task));
    }
    EXPECT_EQ(again.next(), std::nullopt);
  }
}

TEST(Asha, OneThatWasBegunAndNotDoneIsGivenAgain) {
  Asha asha(3, 2, 3);
  asha.recall({0, 0}, 0.1);
  asha.recall({2, 0}, 0.3);  // trial 1 was running when the search stopped
  EXPECT_EQ(asha.next(), (Task{1, 0}));
}

// The best of 27 gets to the top when early figures say the truth, at a third of the passes of all.
TEST(Asha, FindsTheBestAtLessCost) {
  Asha asha(27, 4, 3);
  const std::vector<std::uint32_t> rungs = rungs_of(27, 1, 3, 27);
  std::uint32_t passes = 0;
  bool best_at_top = false;
  while (const auto task = asha.next()) {
    passes += rungs[task->rung] - (task->rung == 0 ? 0 : rungs[task->rung - 1]);
    best_at_top = best_at_top || *task == Task{17, 3};
    asha.note(*task, task->trial == 17 ? 100.0 : task->trial * 7 % 27);
  }
  EXPECT_TRUE(best_at_top);
  EXPECT_LT(passes, 27U * 27U / 3U);
}

}  // namespace
}  // namespace capstan
