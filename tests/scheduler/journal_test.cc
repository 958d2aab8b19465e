#include "scheduler/file_journal.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <limits>

#include "common/hash.h"
#include "tests/scheduler/cluster_fixture.h"

namespace capstan {
namespace {

TableSpec odd_table() {
  TableSpec table;
  table.name = "a \"quoted\" näme";
  table.dim = 17;
  table.dense = true;
  table.num_rows = 1ULL << 60;
  table.init = {InitKind::kXavierUniform, 0.1F, 3, 4, ~0ULL, 9};
  table.optimizer.kind = OptimizerKind::kFtrl;
  table.optimizer.learning_rate = 0.3F;
  table.optimizer.epsilon = 1e-7F;
  table.optimizer.l2_mode = L2Mode::kDecayed;
  table.optimizer.schedule = {ScheduleKind::kCosine, 1, 2, 0.7F, 0.2F};
  table.min_count = 2;
  table.ttl_seconds = 3;
  table.max_rows = 4;
  return table;
}

WorkCursor cursor() {
  WorkCursor cursor;
  cursor.work = {0, 2, 3, "name"};
  cursor.term = (5ULL << 32) + 7;
  cursor.watermark = 11;
  cursor.examples = 12;
  cursor.loss_sum = 0.1;
  cursor.batches = 13;
  cursor.bad_batches = 1;
  cursor.end = 12;
  return cursor;
}

std::vector<JournalRecord> one_of_each() {
  return {GenerationRaised{7},
          NodeGreeted{3, Role::kWorker, "w", "tcp://x", "host", "hall", ~0ULL, 1ULL << 40},
          NodeReady{3, 99},
          TablesAgreed{{odd_table()}, ~0ULL, 100, {{"test", 2}, {"baseline:ease", 1}}, "two\nlines", {8}, 5},
          MapChanged{{{1, (7ULL << 32) + 1, {3, 4}}, {2, (7ULL << 32) + 1, {}}}},
          StateReached{"running", 4, "text"},
          WorkGranted{{.work = {0, 1, 2, "x"}, .term = 9, .slices = 4}, 3},
          WorkFinished{cursor(), 3},
          PassFinished{1, 2, 3, 4.5, 6.25},
          PassValidated{1, 0.25, R"({"better":0.25})"},
          CutBegun{4, {cursor(), cursor()}},
          CheckpointPublished{4, 2, true},
          RunBegun{3},
          NodeDrains{3},
          WorkSplit{cursor(), cursor()}};
}

class JournalTest : public ::testing::Test {
 protected:
  std::vector<std::string> texts(const std::vector<JournalRecord>& records) {
    std::vector<std::string> all;
    for (const JournalRecord& record : records) all.push_back(to_json_text(record));
    return all;
  }
  // The journal's lines after `records` were written one by one.
  void write(const std::vector<JournalRecord>& records) {
    FileJournal journal(disk, "work/journal");
    ASSERT_TRUE(journal.begin({}).ok());
    for (const JournalRecord& record : records) ASSERT_TRUE(journal.append(record).ok());
  }

  Result<std::vector<JournalRecord>> read_back(JournalLines lines = JournalLines::kAll) {
    return FileJournal(disk, "work/journal").read(lines);
  }

  testing::FakeStorage disk;
};

TEST_F(JournalTest, ReadsBackEveryKindOfRecord) {
  EXPECT_TRUE(read_back()->empty()) << "no file, no records";
  const auto records = one_of_each();
  EXPECT_EQ(records.size(), std::variant_size_v<JournalRecord>);
  write(records);
  const auto read = read_back();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(texts(*read), texts(records));
  const auto& tables = std::get<TablesAgreed>((*read)[3]);
  EXPECT_TRUE(tables.tables[0] == odd_table());
  EXPECT_EQ(tables.data_fingerprint, ~0ULL);
  EXPECT_EQ(tables.parts[1].name, "baseline:ease");
  EXPECT_EQ(std::get<WorkFinished>((*read)[7]).cursor.term, (5ULL << 32) + 7);
}

TEST_F(JournalTest, ALossThatIsNoNumberComesBackAsNone) {
  write({PassFinished{0, 1, 0, std::numeric_limits<double>::quiet_NaN(), 1.0}});
  const auto read = read_back();
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(std::isnan(std::get<PassFinished>((*read)[0]).loss_sum));
}

TEST_F(JournalTest, ATornLastLineIsDroppedAtEveryLength) {
  write(one_of_each());
  const std::string whole = disk.files["work/journal"];
  const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t size = last_line; size < whole.size(); ++size) {
    disk.files["work/journal"] = whole.substr(0, size);
    const auto read = read_back();
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->size(), one_of_each().size() - 1) << size;
  }
}

TEST_F(JournalTest, ABadLineInTheMiddleIsNamed) {
  write(one_of_each());
  std::string& text = disk.files["work/journal"];
  const std::size_t second = text.find('\n') + 1;
  text[second + 30] ^= 1;
  const auto read = read_back();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(
      read.error().message.starts_with("work/journal:2: the checksum does not match; move the file away"));
}

TEST_F(JournalTest, AnotherVersionsRecordIsPassedOverWhenOnlyKnownOnesAreAskedFor) {
  write(one_of_each());
  std::string& text = disk.files["work/journal"];
  const std::string strange = R"({"type":"granted","of":"another version"})";
  text.insert(0, fmt::format("{:016x} {}\n", hash_string(strange), strange));
  EXPECT_FALSE(read_back().ok());
  const auto known = read_back(JournalLines::kKnown);
  ASSERT_TRUE(known.ok()) << known.error().message;
  EXPECT_EQ(known->size(), one_of_each().size());
  text[30] ^= 1;
  EXPECT_FALSE(read_back(JournalLines::kKnown).ok());
}

TEST_F(JournalTest, TakesNothingMoreAfterAFailure) {
  FileJournal journal(disk, "work/journal");
  ASSERT_TRUE(journal.begin({}).ok());
  disk.fail_with = "full";
  EXPECT_FALSE(journal.append(GenerationRaised{1}).ok());
  disk.fail_with.clear();
  EXPECT_FALSE(journal.append(GenerationRaised{1}).ok());
}

// docs/FORMATS.md: which member says what.
TEST(JournalRecords, ASplitIsWrittenSo) {
  WorkSplit split;
  split.kept = {
      .work = {0, 1, 2, ""}, .term = 7, .watermark = 30, .examples = 300, .batches = 160, .end = 40};
  split.rest = {.work = {0, 1, 10, ""}, .watermark = 40, .batches = 160, .end = 160};
  EXPECT_EQ(to_json_text(split),
            R"({"record":"split","kept":{"kind":0,"pass":1,"partition":2,"name":"","term":7,"watermark":30,)"
            R"("examples":300,"loss_sum":0E0,"batches":160,"end":40,"bad_batches":0,"slices":0},)"
            R"("rest":{"kind":0,"pass":1,"partition":10,"name":"","term":0,"watermark":40,)"
            R"("examples":0,"loss_sum":0E0,"batches":160,"end":160,"bad_batches":0,"slices":0}})");
  for (const char* text : {R"({"record":"split"})", R"({"record":"split","kept":{},"rest":{}})"}) {
    EXPECT_FALSE(record_from_json(text).ok()) << text;
  }
}

TEST(JournalRecords, ANumberThatIsTooLargeIsNoNumber) {
  TablesAgreed agreed;
  agreed.tables.resize(1);
  agreed.tables[0].init.scale = 0.25F;
  std::string text = to_json_text(agreed);
  const std::string scale = "\"scale\":2.5E-1";
  ASSERT_NE(text.find(scale), std::string::npos) << text;
  EXPECT_TRUE(record_from_json(text).ok());
  text.replace(text.find(scale), scale.size(), "\"scale\":1E73");
  EXPECT_FALSE(record_from_json(text).ok());
}

TEST(JournalRecords, RefusesWhatIsNotARecord) {
  for (const char* text :
       {"", "[]", "{}", R"({"record":"nonsense"})", R"({"record":"ready","id":"x"})",
        R"({"record":"ready","id":-1,"incarnation":1})", R"({"record":"map","shards":[7]})",
        R"({"record":"node"})", R"({"record":"map","shards":[{"shard":1,"epoch":2,"chain":["x"]}]})"}) {
    EXPECT_FALSE(record_from_json(text).ok()) << text;
  }
}

}  // namespace
}  // namespace capstan
