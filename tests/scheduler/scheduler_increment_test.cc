// Checkpoints that build on one another: when they may, what is kept for them, and what damage costs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/manifest.h"
#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using testing::CheckpointScenario;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

class SchedulerIncrementTest : public ::testing::Test, public CheckpointScenario {
 protected:
  SchedulerIncrementTest() {
    options.config.checkpoint.every_steps = 1;
    options.config.checkpoint.keep = 1;
    options.config.checkpoint.full_every = 3;
    options.config.train.partitions = 1;
  }
  void begin() {
    ASSERT_TRUE(start().ok());
    gather();
    grant = *ask(0);
  }
  // The job goes a step on, and a checkpoint is asked for.
  void step() {
    report(0, grant, ++watermark);
    tick();
  }
  std::uint64_t base() const { return last_sent<Snapshot>(server(0))->base; }
  std::string kept() const {
    std::string numbers;
    for (const CheckpointFact& fact : scheduler->job().facts().checkpoints) {
      numbers += fmt::format("{}<{} ", fact.checkpoint, fact.builds_on);
    }
    return numbers;
  }

  WorkGrant grant;
  std::uint64_t watermark = 0;
};

TEST_F(SchedulerIncrementTest, OneOfSoManyIsFullAndWhatIsNeededStays) {
  begin();
  std::string bases, folders;
  for (int n = 0; n < 5; ++n) {
    step();
    bases += fmt::format("{} ", base());
    changes_done(0);
    folders += kept() + "| ";
  }
  EXPECT_EQ(bases, "0 1 2 0 4 ");
  EXPECT_EQ(folders, "1<0 | 1<0 2<1 | 1<0 2<1 3<2 | 4<0 | 4<0 5<4 | ");
  const auto manifest = read_manifest(disk, "ck/ckpt-000005");
  ASSERT_TRUE(manifest.ok()) << manifest.error().message;
  ASSERT_EQ(manifest->sections.size(), 2U);
  EXPECT_EQ(manifest->sections[0].folder, "ckpt-000004");
  EXPECT_EQ(manifest->sections[1].folder, "");
}

TEST_F(SchedulerIncrementTest, ChangesThatAreAsLongAsTheWholeEndAChain) {
  options.config.checkpoint.full_every = 100;
  begin();
  std::string bases;
  for (int n = 0; n < 6; ++n) {
    step();
    bases += fmt::format("{} ", base());
    changes_done(0, 4);
  }
  EXPECT_EQ(bases, "0 1 2 0 4 5 ") << "twice 4 bytes upon 8";
}

TEST_F(SchedulerIncrementTest, AFailedOneIsNoBase) {
  begin();
  step();
  changes_done(0);
  step();
  snapshot_done(0, {}, "no space");
  EXPECT_EQ(kept(), "1<0 ");
  step();
  EXPECT_EQ(last_sent<Snapshot>(server(0))->checkpoint, 3U);
  EXPECT_EQ(base(), 1U);
  changes_done(0);
  EXPECT_EQ(kept(), "1<0 3<1 ");
}

TEST_F(SchedulerIncrementTest, AServerThatDoesNotKnowTheBaseMakesAFullOne) {
  begin();
  step();
  changes_done(0);
  step();
  EXPECT_EQ(base(), 1U);
  snapshot_done(0);
  EXPECT_EQ(kept(), "2<0 ");
}

TEST_F(SchedulerIncrementTest, ABaseWhoseFilesAreGoneIsNone) {
  begin();
  step();
  changes_done(0);
  disk.files.erase("ck/ckpt-000001/ps-0.rows");
  step();
  EXPECT_EQ(base(), 0U);
}

TEST_F(SchedulerIncrementTest, WhatIsKeptAsTheModelStandsByItself) {
  begin();
  step();
  changes_done(0);
  done(0, grant);
  EXPECT_EQ(last_sent<Snapshot>(server(0))->checkpoint, 2U);
  EXPECT_EQ(base(), 0U);
}

TEST_F(SchedulerIncrementTest, FullEveryTimeIfThatIsAskedFor) {
  options.config.checkpoint.full_every = 1;
  begin();
  for (int n = 0; n < 3; ++n) {
    step();
    EXPECT_EQ(base(), 0U);
    changes_done(0);
  }
  EXPECT_EQ(kept(), "3<0 ");
}

TEST_F(SchedulerIncrementTest, ARestartedSchedulerGoesOnWithTheChain) {
  begin();
  for (int n = 0; n < 2; ++n) {
    step();
    changes_done(0);
  }
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  EXPECT_EQ(kept(), "1<0 2<1 ");
  grant = *ask(0);
  step();
  EXPECT_EQ(base(), 2U);
}

// The manifest is there, and the journal does not know.
TEST_F(SchedulerIncrementTest, OneThatWasPublishedJustBeforeTheSchedulerDiedIsKept) {
  begin();
  for (int n = 0; n < 2; ++n) {
    step();
    changes_done(0);
  }
  std::string& journal = disk.files["work/journal"];
  journal.resize(journal.rfind('\n', journal.size() - 2) + 1);
  ASSERT_EQ(journal.find("\"checkpoint\":2,\"passes\""), std::string::npos);
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  greet_worker(0);
  EXPECT_EQ(kept(), "1<0 2<1 ");
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(kept(), "1<0 2<1 ") << "and is journaled now";
}

// Four checkpoints: 1, 2 upon 1, 3 upon 2, and 4, all kept.
TEST_F(SchedulerIncrementTest, DamageCostsAllThatNeedTheDamagedPart) {
  options.config.checkpoint.keep = 9;
  begin();
  for (int n = 0; n < 6; ++n) {
    step();
    changes_done(0);
  }
  EXPECT_EQ(kept(), "1<0 2<1 3<2 4<0 5<4 6<5 ");
  options.start = StartMode::kResume;
  ASSERT_TRUE(start().ok());
  gather();
  EXPECT_EQ(last_sent<Restore>(server(0))->directory, "ck/ckpt-000006");
  EXPECT_EQ(last_sent<Restore>(server(0))->sections.size(), 3U);
  restore_done(0, "block 7 is damaged", "ck/ckpt-000004/ps-0.rows");
  tables_ready();
  EXPECT_EQ(last_sent<Restore>(server(0))->directory, "ck/ckpt-000003") << "5 and 4 need it too";
  EXPECT_EQ(kept(), "1<0 2<1 3<2 ");
  const std::string away = "passed over a checkpoint: ck/ckpt-00000";
  EXPECT_THAT(scheduler->job().facts().warnings,
              IsSupersetOf({HasSubstr(away + "6 needs what is damaged: ps-0 could not restore"),
                            HasSubstr(away + "5 needs shard 0"), HasSubstr(away + "4 needs shard 0")}));
  restore_done(0, "block 8 is damaged", "ck/ckpt-000002/ps-0.rows");
  tables_ready();
  EXPECT_EQ(last_sent<Restore>(server(0))->directory, "ck/ckpt-000001");
  EXPECT_EQ(kept(), "1<0 ");
  restore_done(0);
  EXPECT_EQ(scheduler->job().facts().resumed_from, "ck/ckpt-000001");
}

}  // namespace
}  // namespace capstan
