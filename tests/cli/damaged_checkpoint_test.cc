// Commands that read a checkpoint when the newest one is damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/checkpoint_tables.h"
#include "tests/cli/made_checkpoints.h"
#include "tests/cli/run_here.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr Key kKey = 7;

// Checkpoint n holds the value n in the row of kKey.
class DamagedCheckpoint : public ::testing::Test {
 protected:
  void cut(std::uint64_t checkpoint, std::uint32_t run = 1, bool best = false, std::uint64_t base = 0) {
    made.set(0, kKey, static_cast<float>(checkpoint));
    made.cut(
        checkpoint,
        [&](Manifest& manifest) {
          manifest.generation = manifest.run = run;
          manifest.best = best;
        },
        base);
  }
  std::string file(std::uint64_t checkpoint) const { return made.directory(checkpoint) + "/ps-1.rows"; }
  void flip(std::uint64_t checkpoint) const {
    std::fstream bytes(file(checkpoint), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(20);
    bytes.put('\x7f');
  }
  void truncate(std::uint64_t checkpoint) const { fs::resize_file(file(checkpoint), 10); }
  Outcome get() const { return run({"get", "users", std::to_string(kKey), "--checkpoint", made.root()}); }

  MadeCheckpoints made;
};

TEST_F(DamagedCheckpoint, AWholeOneIsReadWithoutAWord) {
  cut(1);
  cut(2);
  fs::create_directories(made.directory(3));  // begun, never published
  const Outcome got = get();
  EXPECT_EQ(got.code, kExitOk);
  EXPECT_THAT(got.out, HasSubstr("weights 2 2"));
  EXPECT_EQ(got.err, "");
}

TEST_F(DamagedCheckpoint, AFlippedByteIsNamedAndTheOneBeforeRead) {
  cut(1);
  cut(2);
  flip(2);
  const Outcome got = get();
  EXPECT_EQ(got.code, kExitOk) << got.err;
  EXPECT_THAT(got.out, HasSubstr("weights 1 1"));
  EXPECT_THAT(got.err, AllOf(HasSubstr("passed over a damaged checkpoint: " + file(2) + ": shard"),
                             HasSubstr("is damaged"), HasSubstr(made.directory(1) + " is read instead")));
  const Outcome exported = run({"export", made.root(), "--out", made.dir.path("out"), "--format", "tsv"});
  EXPECT_EQ(exported.code, kExitOk) << exported.err;
  EXPECT_THAT(exported.err, HasSubstr(made.directory(1) + " is read instead"));
}

TEST_F(DamagedCheckpoint, WhatBuildsOnADamagedOneIsPassedOverToo) {
  cut(1);
  cut(2);
  cut(3, 1, false, 2);
  cut(4, 1, false, 3);
  EXPECT_THAT(get().out, HasSubstr("weights 4 4"));
  flip(2);
  const Outcome got = get();
  EXPECT_EQ(got.code, kExitOk) << got.err;
  EXPECT_THAT(got.out, HasSubstr("weights 1 1"));
  EXPECT_THAT(got.err, AllOf(HasSubstr("block 0 of 1"), HasSubstr(made.directory(1) + " is read instead")));
  truncate(2);
  for (const std::string& said : {got.err, get().err}) {
    for (const std::uint64_t number : {3U, 4U}) {
      EXPECT_THAT(said, HasSubstr("passed over a damaged checkpoint: " + made.directory(number) +
                                  " needs what is damaged: " + file(2)));
    }
  }
}

TEST_F(DamagedCheckpoint, ATruncatedFileOrManifestIsNamedAndTheOneBeforeRead) {
  cut(1);
  cut(2);
  cut(3);
  truncate(2);
  fs::resize_file(made.directory(3) + "/MANIFEST.json", 50);
  const Outcome got = get();
  EXPECT_EQ(got.code, kExitOk) << got.err;
  EXPECT_THAT(got.out, HasSubstr("weights 1 1"));
  EXPECT_THAT(got.err,
              AllOf(HasSubstr(file(2) + " is not whole"), HasSubstr(made.directory(3) + "/MANIFEST.json: ")));
}

TEST_F(DamagedCheckpoint, WhenNoneIsGoodItFails) {
  cut(1);
  cut(2);
  flip(1);
  truncate(2);
  const Outcome got = get();
  EXPECT_EQ(got.code, kExitFailed);
  EXPECT_THAT(got.err, AllOf(HasSubstr("no checkpoint that can be read in " + made.root()),
                             HasSubstr(file(1)), HasSubstr(file(2))));
}

TEST_F(DamagedCheckpoint, OneThatIsNamedIsReadOrFails) {
  cut(1);
  cut(2);
  flip(2);
  const Outcome got = run({"get", "users", "7", "--checkpoint", made.directory(2)});
  EXPECT_EQ(got.code, kExitFailed);
  EXPECT_THAT(got.err, HasSubstr(file(2)));
}

TEST_F(DamagedCheckpoint, GetTakesKeysAsTheyAreAndSaysWhoWroteThem) {
  cut(1);
  EXPECT_THAT(get().out, HasSubstr("(shard "));
  for (const std::string key : {"-1", "18446744073709551616", "7x"}) {
    const Outcome got = run({"get", "users", key, "--checkpoint", made.root()});
    EXPECT_EQ(got.code, kExitUsage) << key;
    EXPECT_THAT(got.err, HasSubstr(key + " is no key"));
  }
  const Outcome both = run({"get", "users", "7", "--checkpoint", made.root(), "--scheduler", "tcp://h:1"});
  EXPECT_EQ(both.code, kExitUsage);
  EXPECT_THAT(both.err, HasSubstr("not both"));
}

TEST_F(DamagedCheckpoint, AnEarlierRunsBestIsNotTakenForTheNewestRuns) {
  cut(1, 1, true);
  cut(2, 2);
  EXPECT_THAT(get().out, HasSubstr("weights 2 2"));
  cut(3, 2, true);
  cut(4, 2);
  EXPECT_THAT(get().out, HasSubstr("weights 3 3")) << "the best of its run";
  flip(3);
  EXPECT_THAT(get().out, HasSubstr("weights 4 4"));
}

TEST_F(DamagedCheckpoint, AnEarlierRunsIsReadAloudWhenTheNewestRunHasNone) {
  cut(1, 1);
  cut(2, 2);
  truncate(2);
  const Outcome got = get();
  EXPECT_THAT(got.out, HasSubstr("weights 1 1"));
  EXPECT_THAT(got.err, HasSubstr(made.directory(1) + " is of an earlier run"));
  // A run that the folder does not show yet is known from elsewhere.
  fs::remove_all(made.directory(2));
  const auto tables = CheckpointTables::open(made.files, made.root(), 2);
  ASSERT_TRUE(tables.ok());
  ASSERT_EQ(tables->notes().size(), 1U);
  EXPECT_THAT(tables->notes()[0], HasSubstr("earlier run"));
}

// As many whole ones as are to be kept stay beside the damaged one, which is left as it is.
TEST_F(DamagedCheckpoint, PruneDoesNotCountIt) {
  for (std::uint64_t number = 1; number <= 4; ++number) cut(number);
  flip(4);
  const Outcome done = run({"checkpoint", "prune", made.root(), "--keep", "2"});
  EXPECT_EQ(done.code, kExitOk) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("left alone: " + made.directory(4) + " (damaged: " + file(4)),
                              HasSubstr("removed " + made.directory(1))));
  for (const std::uint64_t number : {2U, 3U, 4U}) EXPECT_TRUE(fs::exists(made.directory(number))) << number;
  EXPECT_FALSE(fs::exists(made.directory(1)));
}

}  // namespace
}  // namespace capstan
