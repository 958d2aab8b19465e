// `capstan checkpoint` on folders made for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <boost/json.hpp>

#include <filesystem>
#include <fstream>

#include "common/adapters/file_lock.h"
#include "tests/cli/made_checkpoints.h"
#include "tests/cli/run_here.h"

namespace capstan {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;
namespace json = boost::json;

void flip(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char was = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(was ^ 1));
}

class CheckpointCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    for (Key key = 0; key < 20; ++key) made.set(0, key, 1.0F);
    for (Key key = 0; key < 10; ++key) made.set(1, key, 2.0F);
    made.cut(1);
  }
  ShardSection section(std::uint64_t checkpoint, std::size_t index) {
    const auto manifest = read_manifest(made.files, made.directory(checkpoint));
    EXPECT_TRUE(manifest.ok());
    return manifest->sections.at(index);
  }

  MadeCheckpoints made;
};

TEST_F(CheckpointCommand, LsCallsOneCheckpointTheBest) {
  for (const std::uint64_t n : {2U, 3U}) made.cut(n, [](Manifest& manifest) { manifest.best = true; });
  const Outcome text = run({"checkpoint", "ls", made.root()});
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000002 .*complete\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000003 .*complete, best\n"));
}

TEST_F(CheckpointCommand, LsListsWhatThereIs) {
  made.cut(2, [](Manifest& manifest) {
    manifest.best = true;
    manifest.passes.resize(3);
    manifest.num_partitions = 2;
    manifest.streams.resize(3);
    manifest.streams[0].cursor.watermark = 40;
    manifest.streams[1].cursor.watermark = 2;
    manifest.streams[2].cursor = {.work = {0, 3, 4, ""}, .watermark = 43, .batches = 160};  // split off at 40
  });
  made.cut(3);
  fs::resize_file(made.directory(3) + "/ps-0.rows", 5);
  fs::create_directories(made.directory(4));
  const Outcome text = run({"checkpoint", "ls", made.root()});
  EXPECT_EQ(text.code, kExitOk) << text.err;
  EXPECT_THAT(text.out,
              testing::ContainsRegex("ckpt-000001 +2026-01-02T03:04:05Z +0 +30 .*full +complete\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000002 .* 3 \\+ 45 +30 .*complete, best\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000003 .*damaged: .*ps-0.rows is not whole"));
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000004 .*unpublished"));
  const Outcome as_json = run({"checkpoint", "ls", made.root() + "/", "--json"});
  const json::array array = json::parse(as_json.out).as_array();
  ASSERT_EQ(array.size(), 4U);
  EXPECT_EQ(array[1].at("passes").to_number<int>(), 3);
  EXPECT_EQ(array[1].at("steps").to_number<int>(), 45);
  EXPECT_EQ(array[1].at("rows").to_number<int>(), 30);
  EXPECT_EQ(array[2].at("state").as_string(), "damaged");
}

TEST_F(CheckpointCommand, LsOfNothing) {
  fs::create_directories(made.dir.path("empty"));
  EXPECT_EQ(run({"checkpoint", "ls", made.dir.path("empty")}).code, kExitOk);
  const Outcome gone = run({"checkpoint", "ls", made.dir.path("gone")});
  EXPECT_EQ(gone.code, kExitFailed);
  EXPECT_THAT(gone.err, HasSubstr("gone: no such folder"));
  const Outcome verified = run({"checkpoint", "verify", made.dir.path("empty")});
  EXPECT_EQ(verified.code, kExitFailed);
  EXPECT_THAT(verified.out, HasSubstr("empty: there is no checkpoint in it"));
}

TEST_F(CheckpointCommand, VerifyFailsWhereNothingIsPublished) {
  made.cut(2);
  fs::remove(made.directory(2) + "/MANIFEST.json");
  EXPECT_EQ(run({"checkpoint", "verify", made.root()}).code, kExitOk) << "the other one is whole";
  fs::remove(made.directory(1) + "/MANIFEST.json");
  const Outcome text = run({"checkpoint", "verify", made.root()});
  EXPECT_EQ(text.code, kExitFailed);
  EXPECT_THAT(text.out, HasSubstr(made.directory(2) + ": unpublished"));
  EXPECT_THAT(text.out, HasSubstr(made.root() + ": nothing is published in it"));
  const Outcome as_json = run({"checkpoint", "verify", made.root(), "--json"});
  EXPECT_EQ(as_json.code, kExitFailed);
  EXPECT_EQ(json::parse(as_json.out).as_array().size(), 2U);
}

TEST_F(CheckpointCommand, VerifyNamesFileAndByteOfDamage) {
  made.cut(2);
  EXPECT_EQ(run({"checkpoint", "verify", made.root()}).code, kExitOk);
  const ShardSection hurt = section(2, 1);
  flip(made.directory(2) + "/" + hurt.file, hurt.offset + hurt.length - 1);
  const Outcome text = run({"checkpoint", "verify", made.root()});
  EXPECT_EQ(text.code, kExitFailed);
  EXPECT_THAT(text.out, HasSubstr(made.directory(1) + ": complete"));
  EXPECT_THAT(text.out, HasSubstr(made.directory(2) + ": damaged"));
  EXPECT_THAT(text.out, HasSubstr(made.directory(2) + "/" + hurt.file));
  EXPECT_THAT(text.out, HasSubstr("(bytes " + std::to_string(hurt.offset + hurt.length - 8) + " to "));
  EXPECT_THAT(text.out, HasSubstr("1 of 2 damaged"));
  const Outcome as_json = run({"checkpoint", "verify", made.directory(2), "--json"});
  EXPECT_EQ(as_json.code, kExitFailed);
  const json::value one = json::parse(as_json.out).as_array().at(0);
  EXPECT_EQ(one.at("state").as_string(), "damaged");
  EXPECT_EQ(one.at("damage").at(0).at("offset").to_number<std::uint64_t>(), hurt.offset + hurt.length - 8);
  EXPECT_EQ(one.at("damage").at(0).at("length").to_number<std::uint64_t>(), 8U);
}

// 2 builds on 1 and 3 on 2: rows 5..7 of users changed, then row 3.
class IncrementalCheckpoints : public CheckpointCommand {
 protected:
  void SetUp() override {
    CheckpointCommand::SetUp();
    for (Key key = 5; key < 8; ++key) made.set(0, key, 1.5F);
    made.cut(2, {}, 1);
    made.set(0, 3, 9.0F);
    made.cut(3, {}, 2);
  }
};

TEST_F(IncrementalCheckpoints, LsSaysWhatTheyAddAndWhatTheyNeed) {
  const Outcome text = run({"checkpoint", "ls", made.root()});
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000001 .* 30 .*full +complete\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000003 .* 30 .*upon 2 +complete\n"));
  const json::array array = json::parse(run({"checkpoint", "ls", made.root(), "--json"}).out).as_array();
  EXPECT_EQ(array[0].at("kind").as_string(), "full");
  EXPECT_EQ(array[2].at("kind").as_string(), "incremental");
  EXPECT_EQ(array[2].at("builds_on").to_number<int>(), 2);
  EXPECT_EQ(array[2].at("rows").to_number<int>(), 30);
  EXPECT_LT(array[2].at("bytes").to_number<int>(), array[0].at("bytes").to_number<int>());
}

TEST_F(IncrementalCheckpoints, DiffReadsThemAsWhole) {
  const Outcome as_json = run({"checkpoint", "diff", made.directory(1), made.directory(3), "--json"});
  ASSERT_EQ(as_json.code, kExitOk) << as_json.err;
  const json::value users = json::parse(as_json.out).at("tables").at(0);
  EXPECT_EQ(users.at("changed").to_number<int>(), 4);
  EXPECT_EQ(users.at("rows_after").to_number<int>(), 20);
  EXPECT_DOUBLE_EQ(users.at("weight_change_max").to_number<double>(), 8.0);
}

TEST_F(IncrementalCheckpoints, VerifyBlamesAllThatNeedTheDamagedBlock) {
  EXPECT_EQ(run({"checkpoint", "verify", made.directory(3)}).code, kExitOk);
  const ShardSection hurt = section(2, 1);
  ASSERT_EQ(hurt.folder, "");
  flip(made.directory(2) + "/" + hurt.file, hurt.offset + 3);
  const Outcome text = run({"checkpoint", "verify", made.root()});
  EXPECT_EQ(text.code, kExitFailed);
  EXPECT_THAT(text.out, HasSubstr(made.directory(1) + ": complete"));
  for (const std::uint64_t number : {2U, 3U}) {
    EXPECT_THAT(text.out, HasSubstr(made.directory(number) + ": damaged"));
  }
  EXPECT_THAT(text.out, HasSubstr("2 of 3 damaged"));
  EXPECT_THAT(text.out, HasSubstr(made.directory(2) + "/" + hurt.file + ": shard 0: block 0 of 1"));
}

TEST_F(IncrementalCheckpoints, PruneKeepsWhatTheKeptOnesNeed) {
  made.cut(4);
  made.set(0, 3, 10.0F);
  made.cut(5, {}, 4);
  const Outcome one = run({"checkpoint", "prune", made.root(), "--keep", "3"});
  EXPECT_EQ(one.code, kExitOk) << one.err;
  for (std::uint64_t number = 1; number < 6; ++number) EXPECT_TRUE(fs::exists(made.directory(number)));
  const Outcome two = run({"checkpoint", "prune", made.root(), "--keep", "1"});
  EXPECT_THAT(two.out, HasSubstr("removed 3 of 5 checkpoints"));
  for (std::uint64_t number = 1; number < 4; ++number) EXPECT_FALSE(fs::exists(made.directory(number)));
  EXPECT_EQ(run({"checkpoint", "verify", made.root()}).code, kExitOk);
}

TEST_F(IncrementalCheckpoints, OneWhoseBaseIsGoneIsDamaged) {
  fs::remove_all(made.directory(1));
  const Outcome text = run({"checkpoint", "ls", made.root()});
  EXPECT_THAT(text.out, testing::ContainsRegex("ckpt-000003 .*damaged: .*ckpt-000001/ps-.*is not there"));
}

TEST_F(CheckpointCommand, DiffCountsRowsAndNamesSettings) {
  for (Key key = 5; key < 8; ++key) made.set(0, key, 1.5F);
  for (Key key = 100; key < 104; ++key) made.set(1, key, 1.0F);
  made.cut(2, [](Manifest& manifest) { manifest.job_text = "job: made\ntrain: {passes: 5}\nseed: 9\n"; });
  const Outcome as_json = run({"checkpoint", "diff", made.directory(1), made.directory(2), "--json"});
  ASSERT_EQ(as_json.code, kExitOk) << as_json.err;
  const json::value found = json::parse(as_json.out);
  EXPECT_EQ(json::serialize(found.at("settings")), R"(["train.passes: 3 became 5","seed: 9 is new"])");
  const json::value& users = found.at("tables").at(0);
  EXPECT_EQ(users.at("changed").to_number<int>(), 3);
  EXPECT_EQ(users.at("added").to_number<int>(), 0);
  EXPECT_DOUBLE_EQ(users.at("weight_change_max").to_number<double>(), 0.5);
  const json::value& items = found.at("tables").at(1);
  EXPECT_EQ(items.at("rows_before").to_number<int>(), 10);
  EXPECT_EQ(items.at("rows_after").to_number<int>(), 14);
  EXPECT_EQ(items.at("added").to_number<int>(), 4);
  EXPECT_EQ(items.at("changed").to_number<int>(), 0);
  // The other way round what was added is removed.
  const Outcome back = run({"checkpoint", "diff", made.directory(2), made.directory(1), "--json"});
  EXPECT_EQ(json::parse(back.out).at("tables").at(1).at("removed").to_number<int>(), 4);
  const Outcome same = run({"checkpoint", "diff", made.directory(2), made.directory(2)});
  EXPECT_THAT(same.out, testing::ContainsRegex("users +20 +20 +0 +0 +0 +0\n"));
}

TEST_F(CheckpointCommand, DiffSaysWhyItCannotCompare) {
  made.cut(2, [](Manifest& manifest) { manifest.num_shards = 8; });
  const Outcome other = run({"checkpoint", "diff", made.directory(1), made.directory(2)});
  EXPECT_EQ(other.code, kExitUsage);
  EXPECT_THAT(other.err, HasSubstr("their rows cannot be compared"));
  const ShardSection hurt = section(1, 0);
  flip(made.directory(1) + "/" + hurt.file, hurt.offset);
  EXPECT_THAT(run({"checkpoint", "diff", made.directory(1), made.directory(1)}).err, HasSubstr("damaged"));
}

TEST_F(CheckpointCommand, PruneKeepsTheNewestAndTheBest) {
  made.cut(2, [](Manifest& manifest) { manifest.best = true; });
  for (std::uint64_t number = 3; number < 6; ++number) made.cut(number);
  fs::create_directories(made.directory(6));
  const Outcome dry = run({"checkpoint", "prune", made.root(), "--keep", "2", "--dry-run"});
  EXPECT_EQ(dry.code, kExitOk) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("would remove " + made.directory(3)));
  EXPECT_TRUE(fs::exists(made.directory(1)));
  const Outcome done = run({"checkpoint", "prune", made.root(), "--keep", "2", "--json"});
  EXPECT_EQ(done.code, kExitOk) << done.err;
  EXPECT_EQ(json::parse(done.out).at("removed").as_array().size(), 2U);
  for (const std::uint64_t number : {1U, 3U}) EXPECT_FALSE(fs::exists(made.directory(number))) << number;
  for (const std::uint64_t number : {2U, 4U, 5U, 6U})
    EXPECT_TRUE(fs::exists(made.directory(number))) << number;
  EXPECT_THAT(run({"checkpoint", "prune", made.root()}).err, HasSubstr("--keep"));
}

TEST_F(CheckpointCommand, PruneKeepsOutOfTheFolderOfAJobThatRuns) {
  made.cut(2);
  const std::vector<std::string> prune = {"checkpoint", "prune", made.root(), "--keep", "1"};
  {
    FileLock held;
    ASSERT_TRUE(held.acquire(made.root() + "/checkpoints.lock").ok());
    const Outcome refused = run(prune);
    EXPECT_EQ(refused.code, kExitFailed);
    EXPECT_THAT(refused.err, HasSubstr("process " + std::to_string(::getpid()) + " holds " + made.root()));
    EXPECT_THAT(refused.err, HasSubstr("Stop the job first"));
    EXPECT_THAT(refused.err, HasSubstr("checkpoint.keep"));
    EXPECT_TRUE(fs::exists(made.directory(1)));
    EXPECT_EQ(run({"checkpoint", "prune", made.root(), "--keep", "1", "--dry-run"}).code, kExitOk);
  }
  EXPECT_EQ(run(prune).code, kExitOk);
  EXPECT_FALSE(fs::exists(made.directory(1)));
  EXPECT_FALSE(fs::exists(made.dir.path("gone")));
  EXPECT_THAT(run({"checkpoint", "prune", made.dir.path("gone"), "--keep", "1"}).err,
              HasSubstr("gone: no such folder"));
  EXPECT_FALSE(fs::exists(made.dir.path("gone"))) << "a lock is no reason to make a folder";
}

TEST_F(CheckpointCommand, MistakesInSubcommandsAreExplained) {
  EXPECT_EQ(run({"checkpoint", "verfy", "x"}).err,
            "capstan: unknown command 'checkpoint verfy' (did you mean 'verify'?)\n");
  const Outcome option = run({"checkpoint", "ls", "x", "--jsn"});
  EXPECT_EQ(option.code, kExitUsage);
  EXPECT_THAT(option.err, HasSubstr("unknown option '--jsn' (did you mean '--json'?)"));
  EXPECT_THAT(option.err, HasSubstr("see capstan checkpoint ls --help"));
  EXPECT_THAT(run({"checkpoint", "prune", "--help"}).out, HasSubstr("--dry-run"));
}

}  // namespace
}  // namespace capstan
