#include "ps/snapshot_job.h"

#include <gtest/gtest.h>

#include <deque>

#include "ps/section_file.h"
#include "tests/ps/string_files.h"

namespace capstan {
namespace {

// Runs a task and what follows it when the test says so.
class HandPool final : public TaskPool {
 public:
  std::uint32_t lanes() const override { return 1; }
  void run(std::uint32_t, std::function<void()> work, std::function<void()> done) override {
    tasks_.emplace_back(std::move(work), std::move(done));
  }
  void step() {
    const auto [work, done] = std::move(tasks_.front());
    tasks_.pop_front();
    work();
    done();
  }
  void run_all() {
    while (!tasks_.empty()) step();
  }
  std::size_t waiting() const { return tasks_.size(); }

 private:
  std::deque<std::pair<std::function<void()>, std::function<void()>>> tasks_;
};

class SnapshotJobTest : public ::testing::Test {
 protected:
  void make(std::size_t shards) {
    job = std::make_unique<SnapshotJob>(pool, files, 5, "ck/ckpt-000005", "ps-0.rows", shards,
                                        [this](const SnapshotReply& reply) { replies.push_back(reply); });
  }
  void add(std::uint32_t shard, const std::string& text) {
    job->add(shard, {Buffer::copy_of(std::string_view(text)), shard * 10, 0, shard});
  }

  HandPool pool;
  StringFiles files;
  std::vector<SnapshotReply> replies;
  std::unique_ptr<SnapshotJob> job;
};

TEST_F(SnapshotJobTest, WritesShardsAsTheyComeAndSaysWhereTheyAre) {
  make(3);
  add(2, "two");
  add(0, "zero!");
  EXPECT_EQ(pool.waiting(), 1U) << "one write at a time";
  EXPECT_EQ(job->open(), 2U);
  pool.run_all();
  EXPECT_TRUE(replies.empty());
  add(7, "seven");
  pool.run_all();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_TRUE(job->finished());
  const SnapshotReply& reply = replies[0];
  EXPECT_EQ(reply.checkpoint, 5U);
  EXPECT_EQ(reply.file, "ps-0.rows");
  EXPECT_EQ(reply.error, "");
  ASSERT_EQ(reply.sections.size(), 3U);
  const std::uint32_t shards[] = {2, 0, 7};
  const std::string texts[] = {"two", "zero!", "seven"};
  const std::string& bytes = files.files.at("ck/ckpt-000005/ps-0.rows");
  for (std::size_t n = 0; n < 3; ++n) {
    const ShardSection& section = reply.sections[n];
    EXPECT_EQ(section.shard, shards[n]);
    EXPECT_EQ(section.rows, shards[n] * 10);
    EXPECT_EQ(section.base, shards[n]) << "as the shard said";
    EXPECT_EQ(bytes.substr(section.offset, texts[n].size()), texts[n]);
    EXPECT_TRUE(damage_of(files, "ck/ckpt-000005", section).value().empty());
  }
}

TEST_F(SnapshotJobTest, IsDoneOnlyWhenFileAndFolderAreDurable) {
  make(1);
  add(0, "rows");
  pool.step();
  EXPECT_TRUE(replies.empty()) << "written, not synced";
  pool.step();
  EXPECT_EQ(replies.size(), 1U);
  EXPECT_EQ(files.log, "mkdir ck/ckpt-000005; sync ck/ckpt-000005/ps-0.rows; sync ck/ckpt-000005; ");
}

TEST_F(SnapshotJobTest, AFullDiskIsToldApart) {
  make(2);
  files.append_fails = ErrorCode::kNoSpace;
  add(0, "rows");
  add(1, "rows");
  pool.run_all();
  ASSERT_EQ(replies.size(), 1U) << "once";
  EXPECT_TRUE(replies[0].no_space);
  EXPECT_EQ(replies[0].error, "ck/ckpt-000005/ps-0.rows: append failed");
  add(2, "late");
  EXPECT_EQ(pool.waiting(), 0U) << "nothing is written any more";
}

TEST_F(SnapshotJobTest, AFailedSyncFailsTheSnapshotAndIsNotTriedAgain) {
  make(1);
  files.sync_fails = ErrorCode::kIo;
  add(0, "rows");
  pool.run_all();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_FALSE(replies[0].no_space);
  EXPECT_NE(replies[0].error.find("sync failed"), std::string::npos);
  EXPECT_EQ(pool.waiting(), 0U);
}

TEST_F(SnapshotJobTest, TooLateEndsItWhileAWriteIsUnderWay) {
  make(2);
  add(0, "rows");
  job->fail(make_error(ErrorCode::kStale, "past the step"), true);
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_TRUE(replies[0].too_late);
  pool.run_all();
  EXPECT_EQ(replies.size(), 1U) << "the write that ends later changes nothing";
}

TEST_F(SnapshotJobTest, GoneBeforeItsWriteEnds) {
  make(1);
  add(0, "rows");
  job.reset();
  pool.run_all();
  EXPECT_TRUE(replies.empty());
}

}  // namespace
}  // namespace capstan
