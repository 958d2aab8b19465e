// Snapshots of what changed: put over what was there before, they are the whole snapshot.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/rng.h"
#include "ps/section_format.h"
#include "tests/ps/pushed.h"

namespace capstan {
namespace {

using Content = std::map<Key, std::string>;  // rows' bytes by key

Content content_of(const Shard& shard, std::uint32_t table) {
  Content content;
  shard.table(table).for_each_row([&](Key key, std::span<const std::byte> row) {
    content[key] = {reinterpret_cast<const char*>(row.data()), row.size()};
  });
  return content;
}

std::size_t records_in(const ShardSnapshot& taken, std::size_t table = 0) {
  ByteReader in(taken.bytes.bytes());
  const auto content = get_section(in);
  return content->tables[table].records.size() / content->tables[table].record_bytes;
}

class ShardSnapshotTest : public ::testing::Test {
 protected:
  ShardSnapshotTest() { shard.declare({tables}); }

  // Adds `value` to some rows, at the job's next step.
  void push(const std::vector<Key>& keys, float value = 1.0F) {
    const std::uint64_t previous = sequence++;
    const Pushed slice{.sequence = sequence,
                       .previous = previous,
                       .keys = keys,
                       .gradients = std::vector<float>(keys.size(), value),
                       .step = ++step};
    ASSERT_EQ(slice.to(shard).status, SliceStatus::kOk);
  }
  ShardSnapshot take(std::uint64_t checkpoint, std::uint64_t base) {
    return shard.snapshot_after(0, 0, 1, {checkpoint, base}).value();
  }
  // A shard as the snapshots restore it.
  std::unique_ptr<Shard> restored(const std::vector<ShardSnapshot>& chain) const {
    std::vector<Buffer> links;
    for (const ShardSnapshot& each : chain) links.push_back(each.bytes);
    const auto merged = merge_sections(links);
    EXPECT_TRUE(merged.ok()) << merged.error().message;
    auto copy = std::make_unique<Shard>(0, kShards);
    copy->declare({tables});
    if (merged.ok()) {
      EXPECT_TRUE(copy->restore(merged->bytes(), 0).ok());
    }
    return copy;
  }

  std::vector<TableSpec> tables = {sum_table()};
  Shard shard{0, kShards};
  std::uint64_t sequence = 0, step = 0;
  const Key a = key_of(0, 0), b = key_of(0, 1), c = key_of(0, 2);
};

TEST_F(ShardSnapshotTest, HoldsTheRowsPushedSinceItsBase) {
  push({a, c});
  push({b});
  const ShardSnapshot first = take(1, 0);
  EXPECT_EQ(first.base, 0U);
  push({b}, 4.0F);
  const ShardSnapshot second = take(2, 1);
  EXPECT_EQ(second.base, 1U);
  EXPECT_EQ(second.rows, 3U) << "of the shard";
  EXPECT_EQ(records_in(second), 1U);
  push({c}, 7.0F);
  const ShardSnapshot third = take(3, 2);
  const auto copy = restored({first, second, third});
  EXPECT_EQ(content_of(*copy, 0), content_of(shard, 0));
  EXPECT_EQ(value_of(*copy, b), 5.0F);
  EXPECT_EQ(copy->window(), shard.window());
  EXPECT_EQ(copy->version(), shard.version());
}

// The workers hear of the job's steps now and then: many pushes have the same one.
TEST_F(ShardSnapshotTest, APushAtTheStepOfTheBaseIsIn) {
  push({a});
  push({b});
  const ShardSnapshot first = take(1, 0);
  --step;
  push({a}, 2.0F);
  EXPECT_EQ(content_of(*restored({first, take(2, 1)}), 0), content_of(shard, 0));
}

TEST_F(ShardSnapshotTest, OfAFailedCheckpointTheChangesAreInTheNextOne) {
  push({b, c});
  push({a});
  const ShardSnapshot first = take(1, 0);
  push({a}, 2.0F);
  EXPECT_EQ(take(2, 1).base, 1U);  // never published
  push({b}, 3.0F);
  const ShardSnapshot third = take(3, 1);
  EXPECT_EQ(records_in(third), 2U);
  EXPECT_EQ(content_of(*restored({first, third}), 0), content_of(shard, 0));
  EXPECT_EQ(take(4, 2).base, 0U) << "what was given up is forgotten";
}

TEST_F(ShardSnapshotTest, IsWholeWhenItsBaseIsNotKnown) {
  push({a, b});
  EXPECT_EQ(take(1, 9).base, 0U) << "taken by another";
  push({a});
  EXPECT_EQ(take(0, 1).base, 1U);
  const ShardSnapshot second = take(2, 1);
  EXPECT_EQ(take(3, 0).base, 0U) << "nothing may be left out";
  EXPECT_EQ(take(4, 2).base, 0U);
  shard.forget_snapshots();
  EXPECT_EQ(take(5, 4).base, 0U);
  EXPECT_EQ(take(6, 5).base, 5U);
  ASSERT_TRUE(shard.restore(take(7, 0).bytes.bytes(), 0).ok());
  EXPECT_EQ(take(8, 7).base, 0U) << "its rows are others now";
  ASSERT_FALSE(shard.restore(second.bytes.bytes(), 0).ok()) << "a change alone is no shard";
}

TEST_F(ShardSnapshotTest, IsWholeWhenTheStepsCouldBeMistaken) {
  push({a, b});
  take(1, 0);
  step += std::uint64_t{1} << 31;
  push({a});
  EXPECT_EQ(take(2, 1).base, 0U);
  // Around the end of 32 bits steps are told apart all the same.
  step = (std::uint64_t{1} << 32) - 2;
  push({b});
  const ShardSnapshot whole = take(3, 0);
  push({a});
  push({a});
  EXPECT_GT(step, std::uint64_t{1} << 32);
  const ShardSnapshot change = take(4, 3);
  EXPECT_EQ(records_in(change), 2U);
  EXPECT_EQ(content_of(*restored({whole, change}), 0), content_of(shard, 0));
}

TEST_F(ShardSnapshotTest, ASyncSnapshotThatWaitsForItsStepKnowsItsBase) {
  Shard sync{0, kShards};
  sync.declare({tables, 1, true});
  const auto step_of = [&](std::uint64_t number, Key key) {
    return Pushed{.sequence = number, .previous = number - 1, .keys = {key}, .gradients = {1.0F}}.to(sync);
  };
  step_of(1, a);
  step_of(2, b);
  EXPECT_EQ(sync.snapshot_after(0, 2, 1, {1, 0})->base, 0U);
  EXPECT_TRUE(sync.snapshot_after(0, 4, 2, {2, 1})->bytes.empty());
  step_of(3, a);
  const ShardSnapshot taken = step_of(4, a).snapshot;
  EXPECT_EQ(taken.base, 1U);
  EXPECT_EQ(taken.ticket, 2U);
  step_of(5, b);
  EXPECT_EQ(sync.snapshot_after(0, 5, 3, {3, 2})->base, 2U) << "and can be gone on from";
}

// Random pushes, evictions and checkpoints, some of which fail. What a chain restores is always the shard.
class ShardLife {
 public:
  explicit ShardLife(std::uint64_t seed) : rng_(seed) {
    TableSpec few = sum_table("few");
    few.max_rows = 20 * kShards;
    TableSpec old = sum_table("old");
    old.ttl_seconds = 40;
    tables_ = {sum_table("all"), few, old};
    shard_.declare({tables_});
    for (std::uint32_t n = 0; n < 60; ++n) keys_.push_back(key_of(0, n));
    std::sort(keys_.begin(), keys_.end());
  }

  void live() {
    for (std::uint64_t turn = 0; turn < 12; ++turn) {
      for (std::uint64_t n = rng_.below(30); n > 0; --n) push();
      if (rng_.chance(0.5)) shard_.evict(now_, ~0ULL);
      if (rng_.chance(0.1)) shard_.evict(now_, shard_.stats().bytes * 3 / 4);
      checkpoint();
    }
  }
  std::size_t changes() const { return changes_; }

 private:
  void push() {
    now_ += static_cast<std::uint32_t>(rng_.below(3));
    step_ += rng_.below(2);
    std::vector<Key> keys;
    std::vector<float> gradients;
    PushedSlice slice;
    for (std::uint32_t table = 0; table < tables_.size(); ++table) {
      const std::size_t before = keys.size();
      for (const Key key : keys_) {
        if (rng_.chance(0.05)) keys.push_back(key);
      }
      slice.sections.push_back({table, static_cast<std::uint32_t>(keys.size() - before)});
    }
    for (std::size_t i = 0; i < keys.size(); ++i) gradients.push_back(static_cast<float>(rng_.below(9)));
    slice.term = 1;
    slice.previous = sequence_++;
    slice.sequence = sequence_;
    slice.step = step_;
    slice.keys = keys.data();
    slice.gradients = gradients.data();
    ASSERT_EQ(shard_.push(slice, now_).status, SliceStatus::kOk);
  }

  void checkpoint() {
    const std::uint64_t id = ++last_id_;
    const bool full = chain_.size() >= 5;
    const std::uint64_t base = full ? 0 : published_;
    const ShardSnapshot taken = shard_.snapshot_after(0, 0, 1, {id, base}).value();
    ASSERT_TRUE(taken.base == 0 || taken.base == base);
    if (rng_.chance(0.25)) return;  // not published
    if (taken.base == 0) chain_.clear();
    changes_ += taken.base != 0;
    chain_.push_back(taken.bytes);
    published_ = id;
    compare();
  }

  void compare() const {
    const auto merged = merge_sections(chain_);
    ASSERT_TRUE(merged.ok()) << merged.error().message;
    Shard copy{0, kShards};
    copy.declare({tables_});
    ASSERT_TRUE(copy.restore(merged->bytes(), 0).ok());
    for (std::uint32_t table = 0; table < tables_.size(); ++table) {
      EXPECT_EQ(content_of(copy, table), content_of(shard_, table)) << tables_[table].name;
      EXPECT_EQ(copy.table(table).counters(), shard_.table(table).counters());
    }
    EXPECT_EQ(copy.window(), shard_.window());
  }

  Rng rng_;
  std::vector<TableSpec> tables_;
  std::vector<Key> keys_;
  Shard shard_{0, kShards};
  std::vector<Buffer> chain_;
  std::uint64_t published_ = 0, last_id_ = 0, sequence_ = 0, step_ = 1;
  std::uint32_t now_ = 1000;
  std::size_t changes_ = 0;
};

TEST(ShardSnapshots, AChainIsTheShardWhateverHappenedOnTheWay) {
  std::size_t changes = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    ShardLife life(seed);
    life.live();
    if (::testing::Test::HasFailure()) return;
    changes += life.changes();
  }
  EXPECT_GT(changes, 1000U);
}

}  // namespace
}  // namespace capstan
