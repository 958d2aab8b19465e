#include "scheduler/job_plan.h"

#include <gtest/gtest.h>

#include <limits>

namespace capstan {
namespace {

using Kind = PlanStep::Kind;

TEST(JobPlan, TrainsThenTests) {
  JobPlan plan({.passes = 2, .has_tests = true});
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kTrain, 0}));
  plan.note_pass(0);
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kTrain, 1}));
  plan.note_pass(1);
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kEvaluate, 1}));
  plan.note_evaluated();
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kReport, 1}));
  plan.note_reported();
  EXPECT_EQ(plan.next().kind, Kind::kDone);
}

TEST(JobPlan, KeepsTheLastPassWhenNothingElseIsKept) {
  JobPlan plan({.passes = 1, .keeps_checkpoints = true});
  plan.note_pass(0);
  EXPECT_EQ(plan.next().kind, Kind::kKeepLast);
  plan.note_kept(false);
  EXPECT_EQ(plan.next().kind, Kind::kDone) << "a failed checkpoint does not stop the job";
}

TEST(JobPlan, StopsEarlyKeepsTheBestAndRestoresIt) {
  JobPlan plan({.passes = 10,
                .validate_every = 1,
                .patience = 2,
                .has_valid = true,
                .has_tests = true,
                .keeps_checkpoints = true});
  const double values[] = {0.5, 0.7, 0.6, 0.65};
  for (std::uint32_t pass = 0; pass < 4; ++pass) {
    ASSERT_EQ(plan.next(), (PlanStep{Kind::kTrain, pass}));
    plan.note_pass(pass);
    ASSERT_EQ(plan.next(), (PlanStep{Kind::kValidate, pass}));
    plan.note_validated(pass, values[pass]);
    if (pass < 2) {
      ASSERT_EQ(plan.next(), (PlanStep{Kind::kKeepBest, pass}));
      plan.note_kept(true);
    }
  }
  EXPECT_TRUE(plan.stopped_early());
  EXPECT_EQ(plan.best_pass(), 1U);
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kRestoreBest, 1}));
  plan.note_restored();
  EXPECT_EQ(plan.next().kind, Kind::kEvaluate);
}

TEST(JobPlan, TheLastPassIsTheBest) {
  JobPlan plan({.passes = 1, .validate_every = 1, .has_valid = true, .keeps_checkpoints = true});
  plan.note_pass(0);
  plan.note_validated(0, 1.0);
  EXPECT_EQ(plan.next().kind, Kind::kKeepBest);
  plan.note_kept(true);
  EXPECT_EQ(plan.next().kind, Kind::kDone) << "nothing to restore, nothing more to keep";
}

TEST(JobPlan, ABestThatCouldNotBeKeptIsNotRestored) {
  JobPlan plan({.passes = 2, .validate_every = 1, .has_valid = true, .keeps_checkpoints = true});
  plan.note_pass(0);
  plan.note_validated(0, 1.0);
  plan.note_kept(false);
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kTrain, 1}));
  plan.note_pass(1);
  plan.note_validated(1, 0.5);
  EXPECT_EQ(plan.next().kind, Kind::kKeepLast);
  plan.note_kept(true);
  EXPECT_EQ(plan.next().kind, Kind::kDone);
}

TEST(JobPlan, ValidatesEveryOtherPassAndNanIsNeverBest) {
  JobPlan plan({.passes = 4, .validate_every = 2, .has_valid = true});
  plan.note_pass(0);
  EXPECT_EQ(plan.next().kind, Kind::kTrain);
  plan.note_pass(1);
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kValidate, 1}));
  plan.note_validated(1, std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(plan.best_pass().has_value());
  EXPECT_EQ(plan.next(), (PlanStep{Kind::kTrain, 2}));
  JobPlan blind({.passes = 1, .validate_every = 1});
  blind.note_pass(0);
  EXPECT_EQ(blind.next().kind, Kind::kDone) << "no validation part";
}

}  // namespace
}  // namespace capstan
