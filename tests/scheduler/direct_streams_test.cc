// Who has which direct stream, and what a restarted scheduler knows of them from its journal.
#include "scheduler/direct_streams.h"

#include <gtest/gtest.h>

#include "common/direct_stream.h"
#include "scheduler/direct_tables.h"

namespace capstan {
namespace {

constexpr std::uint64_t kGeneration = std::uint64_t{3} << 32;

WorkCursor cursor_at(std::uint64_t term, std::uint64_t watermark, std::uint64_t slices) {
  WorkCursor cursor = DirectStreams().cursor(term);
  cursor.watermark = watermark;
  cursor.slices = slices;
  return cursor;
}

TEST(DirectStreams, AreNamedByTheirTermBehindAllPasses) {
  const WorkCursor cursor = DirectStreams().cursor(kGeneration + 7);
  EXPECT_TRUE(is_direct(cursor.work.pass));
  EXPECT_EQ(cursor.work.pass, kDirectPasses | 3U);
  EXPECT_EQ(cursor.work.partition, 7U);
}

TEST(DirectStreams, OnlyTheHolderReports) {
  DirectStreams streams;
  streams.open(1, kGeneration + 1);
  EXPECT_FALSE(streams.progress(2, cursor_at(kGeneration + 1, 5, 9)));
  EXPECT_FALSE(streams.progress(1, cursor_at(kGeneration + 2, 5, 9)));
  EXPECT_TRUE(streams.progress(1, cursor_at(kGeneration + 1, 5, 9)));
  EXPECT_TRUE(streams.progress(1, cursor_at(kGeneration + 1, 4, 8)));  // an older one, overtaken
  EXPECT_EQ(streams.batches(), 5U);
  EXPECT_EQ(streams.slices(), 9U);
}

TEST(DirectStreams, ASilentOneGoesOnUntilItIsClosed) {
  DirectStreams streams;
  streams.open(1, kGeneration + 1);
  const Instant now{std::chrono::seconds(100)};
  streams.release(1, now);
  EXPECT_TRUE(streams.silent_since(now - std::chrono::seconds(1)).empty());
  EXPECT_EQ(streams.silent_since(now), std::vector<std::uint64_t>{kGeneration + 1});
  EXPECT_TRUE(streams.progress(1, cursor_at(kGeneration + 1, 1, 1)));
  EXPECT_TRUE(streams.silent_since(now).empty());
  streams.close(kGeneration + 1);
  EXPECT_FALSE(streams.progress(1, cursor_at(kGeneration + 1, 2, 2)));
  EXPECT_EQ(streams.batches(), 1U);
}

TEST(DirectStreams, ShardsMayForgetBelowTheOldestThatIsOpen) {
  DirectStreams streams;
  EXPECT_EQ(streams.closed_below(), 0U);
  streams.open(1, kGeneration + 1);
  streams.open(2, kGeneration + 2);
  streams.close(kGeneration + 2);
  EXPECT_EQ(streams.closed_below(), kGeneration + 1);
  streams.close(kGeneration + 1);
  EXPECT_EQ(streams.closed_below(), kGeneration + 3);
}

TEST(DirectStreams, TheJournalTellsWhatIsOpenAndHowFar) {
  DirectStreams streams;
  streams.take_in(WorkGranted{cursor_at(kGeneration + 1, 0, 0), 1});
  streams.take_in(WorkGranted{cursor_at(kGeneration + 2, 0, 0), 2});
  streams.take_in(CutBegun{4, {cursor_at(kGeneration + 1, 3, 6), cursor_at(kGeneration + 2, 5, 10)}});
  streams.take_in(WorkFinished{cursor_at(kGeneration + 2, 8, 16), 2});
  streams.take_in(WorkGranted{WorkCursor{}, 3});  // a work item is none
  EXPECT_EQ(streams.term_of(1), kGeneration + 1);
  EXPECT_EQ(streams.term_of(2), std::nullopt);
  EXPECT_EQ(streams.term_of(3), std::nullopt);
  EXPECT_EQ(streams.batches(), 11U);
  NodeGreeted another;  // under the name of the first
  another.id = 1;
  streams.take_in(another);
  EXPECT_EQ(streams.silent_since(Instant{}).size(), 1U);
  streams.take_in(StateReached{"restoring", 0, "checkpoints/ckpt-000004"});
  EXPECT_TRUE(streams.streams().empty());
  EXPECT_EQ(streams.batches(), 0U);
}

TEST(DirectTables, AreThoseOfTheJobAndTakeWhatDefaultSays) {
  JobConfig job;
  job.task = Task::kDirect;
  job.model.embedding_dim = 4;
  job.sparse_optimizer.kind = OptimizerKind::kSgd;
  job.tables["default"].ttl_seconds = 60;
  job.tables["items"].dim = 8;
  job.tables["users"].max_rows = 1000;
  const auto tables = direct_tables(job);
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].name, "items");
  EXPECT_EQ(tables[0].dim, 8U);
  EXPECT_EQ(tables[0].ttl_seconds, 60U);
  EXPECT_EQ(tables[1].name, "users");
  EXPECT_EQ(tables[1].dim, 4U);
  EXPECT_EQ(tables[1].max_rows, 1000U);
  EXPECT_EQ(tables[1].optimizer.kind, OptimizerKind::kSgd);
  EXPECT_NE(tables[0].init.seed, tables[1].init.seed);
}

}  // namespace
}  // namespace capstan
