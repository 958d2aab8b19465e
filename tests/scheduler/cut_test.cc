#include "scheduler/cut.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <map>
#include <tuple>

#include "common/hash.h"
#include "scheduler/manifest.h"
#include "tests/scheduler/cluster_fixture.h"

namespace capstan {
namespace {

SnapshotReply reply(std::uint64_t checkpoint, std::vector<std::uint32_t> shards, const std::string& file) {
  SnapshotReply reply;
  reply.checkpoint = checkpoint;
  reply.file = file;
  for (const std::uint32_t shard : shards) {
    ShardSection section;
    section.shard = shard;
    section.length = 10;
    reply.sections.push_back(section);
  }
  return reply;
}

TEST(Cut, IsCompleteWhenEveryServerHasAnswered) {
  Cut cut(4, "d", false, 0, {}, {1, 2});
  EXPECT_EQ(cut.on_reply(1, reply(3, {0}, "old")), Cut::Outcome::kWaiting) << "of an earlier checkpoint";
  EXPECT_EQ(cut.on_reply(9, reply(4, {0}, "x")), Cut::Outcome::kWaiting) << "not asked";
  EXPECT_EQ(cut.on_reply(2, reply(4, {3, 1}, "b")), Cut::Outcome::kWaiting);
  EXPECT_EQ(cut.on_reply(2, reply(4, {3, 1}, "b")), Cut::Outcome::kWaiting) << "repeated";
  EXPECT_EQ(cut.on_reply(1, reply(4, {0}, "a")), Cut::Outcome::kComplete);
  ASSERT_EQ(cut.sections().size(), 3U);
  EXPECT_EQ(cut.sections()[1].shard, 1U);
  EXPECT_EQ(cut.sections()[1].file, "b");
}

TEST(Cut, FailsWithTheServersWords) {
  Cut cut(4, "d", false, 0, {}, {1});
  SnapshotReply full = reply(4, {}, "");
  full.no_space = true;
  EXPECT_EQ(cut.on_reply(1, full), Cut::Outcome::kFailed);
  EXPECT_TRUE(cut.no_space());
  EXPECT_EQ(cut.error(), "no space left on the device");
  SnapshotReply late = reply(4, {}, "");
  late.too_late = true;
  EXPECT_EQ(Cut(4, "d", false, 9, {}, {1}).on_reply(1, late), Cut::Outcome::kTooLate);
}

SnapshotReply changes(std::uint64_t checkpoint, const std::map<std::uint32_t, std::uint64_t>& bases) {
  SnapshotReply made = reply(checkpoint, {}, "new");
  for (const auto& [shard, base] : bases) {
    ShardSection section;
    section.shard = shard;
    section.base = base;
    section.length = 5;
    made.sections.push_back(section);
  }
  return made;
}

// Shard 0 has a chain of two in folders 1 and 3, shard 1 is whole in 3.
CutBase base_of_three() {
  CutBase base{3, "ckpt-000003", {}};
  for (const auto& [shard, folder, goes_on_from] :
       {std::tuple{0U, "ckpt-000001", 0U}, {0U, "", 1U}, {1U, "", 0U}}) {
    ShardSection section;
    section.shard = shard;
    section.folder = folder;
    section.base = goes_on_from;
    section.length = 10;
    base.sections.push_back(section);
  }
  return base;
}

TEST(Cut, WhatChangedStandsBehindWhatItChanges) {
  Cut cut(4, "d", false, 0, {}, {1}, base_of_three());
  EXPECT_EQ(cut.on_reply(1, changes(4, {{2, 0}, {0, 3}, {1, 0}})), Cut::Outcome::kComplete);
  EXPECT_EQ(cut.builds_on(), 3U);
  const auto chains = cut.chains();
  ASSERT_TRUE(chains.ok()) << chains.error().message;
  std::string lines;
  for (const ShardSection& each : *chains) {
    lines += fmt::format("{} {} {};", each.shard, each.folder, each.base);
  }
  EXPECT_EQ(lines, "0 ckpt-000001 0;0 ckpt-000003 1;0  3;1  0;2  0;");
}

TEST(Cut, OfWholeSectionsBuildsOnNothing) {
  Cut cut(4, "d", false, 0, {}, {1}, base_of_three());
  EXPECT_EQ(cut.on_reply(1, changes(4, {{0, 0}, {1, 0}})), Cut::Outcome::kComplete);
  EXPECT_EQ(cut.builds_on(), 0U);
  EXPECT_EQ(cut.chains()->size(), 2U);
}

TEST(Cut, RefusesAChangeOfSomethingElse) {
  for (const auto& [shard, base] : {std::pair{0U, 2U}, {2U, 3U}}) {
    Cut cut(4, "d", false, 0, {}, {1}, base_of_three());
    EXPECT_EQ(cut.on_reply(1, changes(4, {{shard, base}})), Cut::Outcome::kComplete);
    EXPECT_EQ(cut.chains().error().message,
              fmt::format("shard {} came as what changed since checkpoint {}, which it was not asked for",
                          shard, base));
  }
  Cut twice(4, "d", false, 0, {}, {1});
  EXPECT_EQ(twice.on_reply(1, reply(4, {1, 1}, "a")), Cut::Outcome::kComplete);
  EXPECT_EQ(twice.chains().error().message, "two servers wrote the same shard");
}

TEST(Cut, ChangesOutweighWhenTheyAreAsLongAsWhatTheyChange) {
  std::vector<ShardSection> sections = base_of_three().sections;
  EXPECT_FALSE(changes_outweigh(sections)) << "10 upon 20";
  sections.push_back(sections[1]);
  EXPECT_TRUE(changes_outweigh(sections));
}

TEST(CutSchedule, IsDueByStepsOrSeconds) {
  const Instant t0{};
  CutSchedule never;
  EXPECT_FALSE(never.due(1000000, t0 + std::chrono::hours(9)));
  CutSchedule by_steps(100, 0);
  EXPECT_FALSE(by_steps.due(99, t0));
  EXPECT_TRUE(by_steps.due(100, t0));
  by_steps.begun(100, t0);
  EXPECT_FALSE(by_steps.due(199, t0));
  CutSchedule by_time(0, 60);
  EXPECT_FALSE(by_time.due(5, t0 + std::chrono::seconds(59)));
  EXPECT_TRUE(by_time.due(5, t0 + std::chrono::seconds(60)));
  EXPECT_FALSE(by_time.due(0, t0 + std::chrono::seconds(60))) << "nothing has changed since";
}

TEST(CutSchedule, LearnsHowFarAheadAStepMustLie) {
  CutSchedule schedule(1, 0);
  const std::uint64_t first = schedule.margin();
  schedule.too_late();
  EXPECT_EQ(schedule.margin(), 2 * first);
  for (int n = 0; n < 100; ++n) schedule.in_time();
  EXPECT_EQ(schedule.margin(), first);
  for (int n = 0; n < 100; ++n) schedule.too_late();
  EXPECT_EQ(schedule.margin(), 1ULL << 20);
}

TEST(Retention, NeverDropsTheNewestNorTheBest) {
  const auto facts = [](std::vector<std::pair<std::uint64_t, bool>> all) {
    std::vector<CheckpointFact> list;
    for (const auto& [id, best] : all) list.push_back({id, "", 0, best, 0, 0});
    return list;
  };
  using Ids = std::vector<std::uint64_t>;
  EXPECT_EQ(to_prune(facts({{1, false}, {2, false}, {3, false}}), 2), Ids{1});
  EXPECT_EQ(to_prune(facts({{1, true}, {2, false}, {3, false}}), 2), Ids{});
  EXPECT_EQ(to_prune(facts({{1, true}, {2, false}, {3, false}}), 1), Ids{2});
  EXPECT_EQ(to_prune(facts({{1, true}, {2, true}, {3, false}}), 1), Ids{1}) << "a later one was better";
  EXPECT_EQ(to_prune(facts({{1, false}, {2, true}}), 1), Ids{1}) << "the best is the newest";
  EXPECT_EQ(to_prune(facts({{1, true}, {2, true}, {3, true}, {4, true}}), 3), Ids{1});
  EXPECT_EQ(to_prune(facts({{1, false}, {2, false}}), 0), Ids{1}) << "one always stays";
  EXPECT_EQ(to_prune({}, 1), Ids{});
}

// A checkpoint and the one that it builds on.
std::vector<CheckpointFact> built(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& all,
                                  std::uint64_t best = 0) {
  std::vector<CheckpointFact> list;
  for (const auto& [id, upon] : all) list.push_back({id, "", 0, id == best, 0, 0, upon});
  return list;
}

TEST(Retention, WhatIsKeptKeepsWhatItNeeds) {
  using Ids = std::vector<std::uint64_t>;
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> chain = {{1, 0}, {2, 1}, {4, 2}, {5, 0}, {6, 5}};
  EXPECT_EQ(to_prune(built(chain), 1), (Ids{4, 2, 1})) << "the newest first";
  EXPECT_EQ(to_prune(built(chain), 2), (Ids{4, 2, 1}));
  EXPECT_EQ(to_prune(built(chain), 3), Ids{}) << "4 needs 2 and 1";
  EXPECT_EQ(to_prune(built(chain, 2), 1), Ids{4}) << "and so does the best";
  EXPECT_EQ(to_prune(built({{3, 1}, {4, 3}}), 1), Ids{}) << "what it needs went by other hands";
  EXPECT_EQ(chain_length(built(chain)), 2U);
  EXPECT_EQ(chain_length(built({{1, 0}, {2, 1}, {4, 2}})), 3U);
  EXPECT_EQ(chain_length({}), 0U);
}

Manifest example() {
  Manifest manifest;
  manifest.checkpoint = 7;
  manifest.generation = 3;
  manifest.job = "job";
  manifest.job_text = "name: job\ndata: {\"x\": 1}\n";
  manifest.job_fingerprint = ~0ULL;
  manifest.num_shards = 16;
  manifest.num_partitions = 4;
  manifest.best = true;
  TableSpec table;
  table.name = "items";
  table.dim = 4;
  manifest.tables = {table};
  ShardSection section;
  section.shard = 2;
  section.file = "ps-0.rows";
  section.offset = 5;
  section.length = 10;
  section.checksum = 0xfeedfeedfeedfeedULL;
  section.rows = 3;
  ShardSection change = section;
  section.folder = "ckpt-000006";
  change.base = 6;
  manifest.sections = {section, change};
  manifest.builds_on = 6;
  manifest.passes = {PassFinished{0, 100, 0, 50.0, 1.5}};
  manifest.validations = {PassValidated{0, 0.5, R"({"better":0.5})"}};
  WorkCursor cursor;
  cursor.work = {0, 1, 3, ""};
  cursor.watermark = 12;
  manifest.streams = {StreamState{cursor, true}};
  return manifest;
}

TEST(ManifestFile, ReadsBackWhatWasWritten) {
  testing::FakeStorage disk;
  disk.files["c/ckpt-000006/ps-0.rows"] = disk.files["c/ckpt-000007/ps-0.rows"] = std::string(15, 'x');
  ASSERT_TRUE(write_manifest(disk, "c/ckpt-000007", example()).ok());
  const auto read = read_manifest(disk, "c/ckpt-000007");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(to_json_text(*read), to_json_text(example()));
  EXPECT_EQ(read->sections[0].checksum, 0xfeedfeedfeedfeedULL);
  EXPECT_EQ(read->sections[0].folder, "ckpt-000006");
  EXPECT_EQ(read->sections[1].base, 6U);
  EXPECT_EQ(read->builds_on, 6U);
  EXPECT_EQ(read->streams[0].cursor.watermark, 12U);
  EXPECT_TRUE(read->streams[0].done && read->best);
  EXPECT_EQ(read->validations[0].better, 0.5);
}

TEST(ManifestFile, AnyChangedOrMissingByteIsFound) {
  const std::string text = to_json_text(example());
  ASSERT_TRUE(manifest_from_json(text).ok());
  for (std::size_t n = 0; n < text.size(); ++n) {
    std::string changed = text;
    changed[n] = static_cast<char>(changed[n] ^ 4);
    EXPECT_FALSE(manifest_from_json(changed).ok()) << n;
    EXPECT_FALSE(manifest_from_json(text.substr(0, n)).ok()) << n;
  }
}

TEST(ManifestFile, OfAnotherFormatIsSaidToBeSo) {
  std::string body = to_json_text(example());
  body = body.substr(body.find("{\"format\""));
  body = body.substr(0, body.size() - 2);
  body.replace(body.find("\"format\":5"), 10, "\"format\":4");
  const auto read = manifest_from_json(
      fmt::format("{{\"checksum\":\"{:016x}\",\"manifest\":{}}}\n", hash_string(body), body));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(
      read.error().message,
      "a checkpoint of format 4; this version reads format 5 alone, so go on with the version that wrote "
      "it, or train anew");
}

TEST(ManifestFile, SectionsDoNotLeadOutOfTheFolder) {
  for (const std::string name : {"../../evil", "/etc/evil", "a/b", ".."}) {
    Manifest file = example(), folder = example();
    file.sections[0].file = folder.sections[0].folder = name;
    for (const Manifest& bad : {file, folder}) {
      const auto read = manifest_from_json(to_json_text(bad));
      ASSERT_FALSE(read.ok()) << name;
      EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
      EXPECT_NE(read.error().message.find("'" + name + "'"), std::string::npos) << read.error().message;
    }
  }
}

TEST(ManifestFile, OneThatNeedsWhatIsDamagedIsPassedOver) {
  testing::FakeStorage disk;
  disk.files["c/ckpt-000006/ps-0.rows"] = disk.files["c/ckpt-000007/ps-0.rows"] = std::string(15, 'x');
  Manifest alone = example();
  alone.builds_on = 0;
  alone.sections.pop_back();
  alone.sections[0].folder = "";
  ASSERT_TRUE(write_manifest(disk, "c/ckpt-000006", alone).ok());
  ASSERT_TRUE(write_manifest(disk, "c/ckpt-000007", example()).ok());
  const auto newest = [&](const std::string& file, std::uint64_t offset) {
    const auto found = newest_checkpoint(disk, "c", {.damaged = {{file, offset}}});
    return found.ok() ? found->directory : found.error().message;
  };
  EXPECT_EQ(newest("c/ckpt-000007/ps-0.rows", 5), "c/ckpt-000006");
  EXPECT_EQ(newest("c/ckpt-000007/ps-0.rows", 6), "c/ckpt-000007") << "another section";
  EXPECT_EQ(newest("c/ckpt-000006/ps-0.rows", 5),
            "no checkpoint that verifies in c; c/ckpt-000007 needs shard 2 at byte 5 of "
            "c/ckpt-000006/ps-0.rows, which is damaged; c/ckpt-000006 needs shard 2 at byte 5 of "
            "c/ckpt-000006/ps-0.rows, which is damaged; `capstan checkpoint verify c` names all damage");
  disk.files.erase("c/ckpt-000006/ps-0.rows");
  EXPECT_EQ(
      newest("", 0),
      "no checkpoint that verifies in c; c/ckpt-000007 needs what is damaged: c/ckpt-000006/ps-0.rows is "
      "not there; c/ckpt-000006/ps-0.rows is not there; `capstan checkpoint verify c` names all damage");
}

// An older checkpoint is no answer when the store of the newest is away.
TEST(ManifestFile, AStoreThatDoesNotAnswerHasNoDamagedCheckpoints) {
  struct Store final : testing::FakeStorage {
    Result<Buffer> read(const std::string& path) override {
      if (path.starts_with(away)) return make_error(ErrorCode::kUnavailable, path + ": HTTP 503");
      return FakeStorage::read(path);
    }
    std::string away = "nothing";
  } store;
  store.files["c/ckpt-000006/ps-0.rows"] = store.files["c/ckpt-000007/ps-0.rows"] = std::string(15, 'x');
  ASSERT_TRUE(write_manifest(store, "c/ckpt-000006", example()).ok());
  ASSERT_TRUE(write_manifest(store, "c/ckpt-000007", example()).ok());
  EXPECT_EQ(newest_checkpoint(store, "c")->directory, "c/ckpt-000007");
  store.away = "c/ckpt-000007";
  const auto found = newest_checkpoint(store, "c");
  ASSERT_FALSE(found.ok()) << found->directory;
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
}

TEST(ManifestFile, TheNewestThatIsWholeIsFound) {
  testing::FakeStorage disk;
  EXPECT_EQ(newest_checkpoint(disk, "c").error().code, ErrorCode::kNotFound);
  disk.files["c/ckpt-000006/ps-0.rows"] = disk.files["c/ckpt-000007/ps-0.rows"] = std::string(15, 'x');
  ASSERT_TRUE(write_manifest(disk, "c/ckpt-000006", example()).ok());
  ASSERT_TRUE(write_manifest(disk, "c/ckpt-000007", example()).ok());
  disk.directories.push_back("c/ckpt-000008");  // begun, never published
  disk.files["c/other"] = "";
  EXPECT_EQ(newest_checkpoint(disk, "c")->directory, "c/ckpt-000007");
  disk.files["c/ckpt-000007/ps-0.rows"].pop_back();
  const auto found = newest_checkpoint(disk, "c");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->directory, "c/ckpt-000006");
  ASSERT_EQ(found->skipped.size(), 1U) << "what was never published is not damaged";
  EXPECT_NE(found->skipped[0].find("ckpt-000007/ps-0.rows is not whole"), std::string::npos)
      << found->skipped[0];
}

}  // namespace
}  // namespace capstan
