#include "ps/shard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/ps/pushed.h"

namespace capstan {
namespace {

using Slots = std::vector<std::uint32_t>;
const Key kA = key_of(0, 0), kB = key_of(0, 1);

struct ShardTest : ::testing::Test {
  void declare(std::uint32_t slots, bool combine) {
    const std::vector<TableSpec> tables = {sum_table()};
    shard.declare({tables, slots, combine});
  }
  Shard shard{0, kShards};
};

TEST_F(ShardTest, AppliesASliceOnceAndCountsWhatItRefuses) {
  declare(0, false);
  const Pushed first{.sequence = 1, .keys = {kA, kB}, .gradients = {2.0F, 3.0F}};
  EXPECT_EQ(first.to(shard).status, SliceStatus::kOk);
  EXPECT_EQ(first.to(shard).status, SliceStatus::kDuplicate);
  EXPECT_EQ((Pushed{.sequence = 3, .previous = 2, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kGap);
  EXPECT_EQ(
      (Pushed{.term = 2, .sequence = 2, .previous = 1, .keys = {kA}, .gradients = {5.0F}}.to(shard).status),
      SliceStatus::kOk);
  EXPECT_EQ(
      (Pushed{.term = 1, .sequence = 3, .previous = 2, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
      SliceStatus::kFenced);
  EXPECT_EQ(value_of(shard, kA), 7.0F);
  EXPECT_EQ(value_of(shard, kB), 3.0F);
  const ShardStats stats = shard.stats();
  EXPECT_EQ(stats.pushes_applied, 2U);
  EXPECT_EQ(stats.pushes_duplicate, 1U);
  EXPECT_EQ(stats.pushes_gap, 1U);
  EXPECT_EQ(stats.pushes_fenced, 1U);
  EXPECT_EQ(stats.rows, 2U);
}

// A refused slice consumes its number, so that the next one finds its predecessor.
TEST_F(ShardTest, ARefusedSliceChangesNothingAndConsumesItsNumber) {
  declare(0, false);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  std::uint64_t sequence = 0;
  const auto refused = [&](std::vector<Key> keys, std::vector<float> gradients) {
    const std::uint64_t previous = sequence++;
    return Pushed{.sequence = sequence,
                  .previous = previous,
                  .keys = std::move(keys),
                  .gradients = std::move(gradients)}
               .to(shard)
               .status == SliceStatus::kRefused;
  };
  EXPECT_TRUE(refused({kA}, {nan}));
  EXPECT_TRUE(refused({kA, kB}, {1.0F, inf}));
  EXPECT_TRUE(refused({key_of(1)}, {1.0F})) << "another shard's key";
  EXPECT_TRUE(refused({kB, kA}, {1.0F, 1.0F})) << "not ascending";
  EXPECT_TRUE(refused({kA, kA}, {1.0F, 1.0F})) << "twice the same";
  EXPECT_EQ(shard.stats().rows, 0U);
  EXPECT_EQ(shard.stats().pushes_refused, 5U);
  EXPECT_EQ((Pushed{.sequence = 6, .previous = 5, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kOk);
}

TEST_F(ShardTest, CountsTheStreamsThatItRemembersAndHasForgotten) {
  declare(0, false);
  for (std::uint32_t n = 0; n < 6; ++n) {
    const Pushed push{.pass = n / 2, .partition = n % 2, .keys = {kA}, .gradients = {1.0F}};
    ASSERT_EQ(push.to(shard).status, SliceStatus::kOk);
  }
  EXPECT_EQ(shard.stats().streams, 6U);
  EXPECT_TRUE(shard.forget_below(2, 0));
  EXPECT_FALSE(shard.forget_below(2, 0)) << "no news";
  EXPECT_EQ(shard.stats().streams, 2U);
  EXPECT_EQ(shard.stats().streams_forgotten, 4U);
  ShardStats all;
  all.add_progress(ShardStats{}, shard.stats());
  EXPECT_EQ(all.streams_forgotten, 4U);
}

TEST_F(ShardTest, BoundedClockIsWhatEverySlotHasReported) {
  declare(2, false);
  EXPECT_EQ((Pushed{.partition = 0, .sequence = 1, .keys = {kA}, .gradients = {1.0F}}.to(shard).clock),
            (StepClock{0, 0}));
  EXPECT_EQ((Pushed{.partition = 1, .sequence = 1}.to(shard).clock), (StepClock{0, 1}))
      << "empty reports count";
  EXPECT_EQ(value_of(shard, kA), 1.0F);
}

TEST_F(ShardTest, SyncAppliesAStepOnceAllSlotsAreThere) {
  declare(3, true);
  const Pushed parts[] = {{.partition = 0, .keys = {kA}, .gradients = {1.0F}},
                          {.partition = 1},
                          {.partition = 2, .keys = {kA, kB}, .gradients = {10.0F, 20.0F}}};
  EXPECT_TRUE(parts[2].to(shard).waits);
  EXPECT_TRUE(parts[0].to(shard).waits);
  EXPECT_EQ(value_of(shard, kA), 0.0F);
  EXPECT_TRUE(parts[0].to(shard).waits) << "sent again while it waits: replaces itself";
  const PushOutcome last = parts[1].to(shard);
  EXPECT_EQ(last.released_slots, (Slots{0, 1, 2}));
  EXPECT_EQ(last.clock, (StepClock{0, 1}));
  EXPECT_EQ(last.version, 1U);
  EXPECT_EQ(value_of(shard, kA), 11.0F);
  EXPECT_EQ(value_of(shard, kB), 20.0F);
  EXPECT_EQ(parts[0].to(shard).status, SliceStatus::kDuplicate);
}

// Sums of floats depend on their order: the slots', not that of arrival.
TEST_F(ShardTest, SyncAddsInSlotOrder) {
  const float values[] = {1e8F, 1.0F, -1e8F};
  const auto sum = [&](Slots order) {
    Shard each{0, kShards};
    const std::vector<TableSpec> tables = {sum_table()};
    each.declare({tables, 3, true});
    for (const std::uint32_t slot : order) {
      const PushOutcome outcome =
          Pushed{.partition = slot, .keys = {kA}, .gradients = {values[slot]}}.to(each);
      EXPECT_EQ(outcome.status, SliceStatus::kOk);
    }
    return value_of(each, kA);
  };
  const float expected = (values[0] + values[1]) + values[2];
  EXPECT_NE(expected, values[0] + values[2] + values[1]);
  for (const Slots& order : {Slots{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}})
    EXPECT_EQ(sum(order), expected);
}

TEST_F(ShardTest, SyncARefusedSlotDoesNotHoldTheStepUp) {
  declare(2, true);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ((Pushed{.partition = 0, .keys = {kA}, .gradients = {nan}}.to(shard).status),
            SliceStatus::kRefused);
  EXPECT_EQ((Pushed{.partition = 1, .keys = {kA}, .gradients = {4.0F}}.to(shard).clock), (StepClock{0, 1}));
  EXPECT_EQ(value_of(shard, kA), 4.0F);
}

// A worker died when its slice of step 0 had reached this shard but not another. Who does the slot again must
// compute it from the rows of before.
TEST_F(ShardTest, SyncShowsTheRowsAsTheyWereBeforeTheLastStep) {
  declare(1, true);
  EXPECT_EQ((Pushed{.sequence = 1, .keys = {kA}, .gradients = {1.0F}}.to(shard).status), SliceStatus::kOk);
  EXPECT_EQ((Pushed{.sequence = 2, .previous = 1, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kOk);
  EXPECT_EQ(value_of(shard, kA, {0, 2}), 2.0F);
  EXPECT_EQ(value_of(shard, kA, {0, 1}), 1.0F);
  EXPECT_EQ(value_of(shard, kB, {0, 1}), 0.0F);
  EXPECT_EQ(value_of(shard, kA, {1, 1}), 2.0F) << "another pass";
}

// A key that few batches touch: the shard hears of few steps, and goes by those that the job has made.
TEST_F(ShardTest, RatesAndDecayFollowTheJobsSteps) {
  TableSpec halving = sum_table();
  halving.optimizer.schedule = {.kind = ScheduleKind::kStep, .decay_steps = 10, .decay = 0.5F};
  TableSpec decayed = sum_table();
  decayed.optimizer = {.kind = OptimizerKind::kSgd,
                       .learning_rate = 0.5F,
                       .l2 = 0.5F,
                       .l2_mode = L2Mode::kDecayed,
                       .schedule = {}};
  for (const TableSpec& spec : {halving, decayed}) {
    Shard each{0, kShards};
    const std::vector<TableSpec> tables = {spec};
    each.declare({tables});
    Pushed{.sequence = 1, .keys = {kA}, .gradients = {1.0F}, .step = 5}.to(each);
    const float first = value_of(each, kA);
    Pushed{.sequence = 2, .previous = 1, .keys = {kA}, .gradients = {1.0F}, .step = 15}.to(each);
    const float second = value_of(each, kA);
    if (spec.optimizer.l2 > 0.0F) {
      EXPECT_NEAR(second, first * std::pow(0.75F, 10.0F) - 0.5F, 1e-5F)
          << "(1 - lr l2)^10, then the gradient";
    } else {
      EXPECT_FLOAT_EQ(second - first, first * 0.5F) << "the rate has been halved once";
    }
    Pushed{.partition = 1, .sequence = 1, .keys = {kA}, .gradients = {0.0F}, .step = 12}.to(each);
    EXPECT_FLOAT_EQ(value_of(each, kA), second) << "a worker that knows of fewer steps turns nothing back";
  }
}

// One table counts keys with a large sketch, the other has rows: the sketch is no reason to drop them all.
TEST_F(ShardTest, ASketchIsNoShareOfTheRowsThatGo) {
  TableSpec counting = sum_table("counting");
  counting.min_count = 200;
  shard.declare({{sum_table(), counting}, 0, false, 0, 1U << 12});
  std::vector<Key> keys;
  for (Key key = 0; keys.size() < 2000; ++key) {
    if (shard_of(key, kShards) == 0) keys.push_back(key);
  }
  Pushed{.keys = keys, .gradients = std::vector<float>(keys.size(), 1.0F)}.to(shard);
  PushedSlice counted;
  counted.term = 1;
  counted.sequence = 2;
  counted.previous = 1;
  counted.sections = {{1, 1}};
  counted.keys = keys.data();
  const float one = 1.0F;
  counted.gradients = &one;
  EXPECT_EQ(shard.push(counted, 0).status, SliceStatus::kOk);
  const ShardStats before = shard.stats();
  EXPECT_GE(before.fixed_bytes, 4U << 12);
  const std::uint64_t limit = before.fixed_bytes + (before.bytes - before.fixed_bytes) / 2;
  shard.evict(0, limit);
  EXPECT_LE(shard.stats().bytes, limit);
  EXPECT_GT(shard.stats().rows, 500U);
}

// Rows that are there learn on, and so do dense ones that are not there yet.
TEST_F(ShardTest, WhileItTakesMoreThanItMayNoNewRowComesIn) {
  TableSpec dense = sum_table("dense");
  dense.dense = true;
  dense.num_rows = 1U << 20;
  shard.declare({{sum_table(), dense}, 0, false});
  EXPECT_EQ((Pushed{.keys = {kA}, .gradients = {1.0F}}.to(shard).status), SliceStatus::kOk);
  shard.evict(0, 1);  // even without rows it takes more
  EXPECT_EQ(shard.stats().rows_squeezed, 1U);
  const PushOutcome full = Pushed{.sequence = 2, .keys = {kA, kB}, .gradients = {1.0F, 2.0F}}.to(shard);
  EXPECT_TRUE(full.full);
  EXPECT_EQ(full.status, SliceStatus::kOk) << "it is acknowledged";
  EXPECT_EQ(shard.stats().rows, 0U);
  EXPECT_EQ(shard.stats().rows_not_admitted, 2U);
  PushedSlice layer;
  layer.term = 1;
  layer.sequence = 3;
  layer.previous = 2;
  layer.sections = {{1, 1}};
  layer.keys = &kA;
  const float one = 1.0F;
  layer.gradients = &one;
  EXPECT_EQ(shard.push(layer, 0).status, SliceStatus::kOk);
  EXPECT_EQ(shard.stats().rows, 1U);
  shard.evict(0, ~0ULL);
  EXPECT_FALSE((Pushed{.sequence = 4, .keys = {kB}, .gradients = {2.0F}}.to(shard).full));
  EXPECT_EQ(value_of(shard, kB), 2.0F);
}

TEST_F(ShardTest, ComesBackFromItsSnapshotWithItsWindow) {
  declare(0, false);
  EXPECT_EQ((Pushed{.sequence = 4, .keys = {kA, kB}, .gradients = {1.0F, 2.0F}}.to(shard).status),
            SliceStatus::kOk);
  const ShardSnapshot taken = shard.snapshot_after(0, 0, 77).value();
  EXPECT_EQ(taken.rows, 2U);
  EXPECT_EQ(taken.ticket, 77U);
  Shard copy{0, kShards};
  const std::vector<TableSpec> tables = {sum_table()};
  copy.declare({tables});
  ASSERT_TRUE(copy.restore(taken.bytes.bytes(), 0).ok());
  EXPECT_EQ(value_of(copy, kB), 2.0F);
  EXPECT_EQ(copy.version(), shard.version());
  EXPECT_EQ((Pushed{.sequence = 4, .keys = {kA}, .gradients = {1.0F}}.to(copy).status),
            SliceStatus::kDuplicate);

  Shard other{1, kShards};
  other.declare({tables});
  EXPECT_EQ(other.restore(taken.bytes.bytes(), 0).error().code, ErrorCode::kCorrupt) << "another shard's";
  for (std::size_t size = 0; size < taken.bytes.size(); size += 3) {
    EXPECT_FALSE(copy.restore(taken.bytes.bytes().first(size), 0).ok()) << size;
  }
}

// A restore resumes under new terms: its zombie began after batch 5, which the restored shard has
// not. Taking its batch 6 would make 5 a duplicate when it comes again.
TEST_F(ShardTest, AfterARestoreTheHoldersFromBeforeAreFenced) {
  declare(0, false);
  const ShardSnapshot cut = shard.snapshot_after(0, 0, 1).value();
  EXPECT_EQ((Pushed{.term = 9, .sequence = 5, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kOk);
  ASSERT_TRUE(shard.restore(cut.bytes.bytes(), 20).ok());
  for (const std::uint64_t term : {9ULL, 10ULL, 19ULL}) {
    EXPECT_EQ((Pushed{.term = term, .sequence = 6, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
              SliceStatus::kFenced);
  }
  EXPECT_EQ((Pushed{.term = 20, .sequence = 5, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kOk);
  ASSERT_TRUE(shard.restore(cut.bytes.bytes(), 20).ok());
  EXPECT_EQ((Pushed{.term = 20, .sequence = 6, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kFenced)
      << "within one generation: all that was seen before the restore";
  EXPECT_EQ((Pushed{.term = 21, .sequence = 5, .keys = {kA}, .gradients = {1.0F}}.to(shard).status),
            SliceStatus::kOk);
}

// The cut in sync: every shard takes its snapshot right after one named step.
TEST_F(ShardTest, SyncTakesTheSnapshotRightAfterTheStepAskedFor) {
  declare(1, true);
  EXPECT_TRUE(shard.snapshot_after(0, 2, 5).value().bytes.empty());
  EXPECT_TRUE((Pushed{.sequence = 1, .keys = {kA}, .gradients = {1.0F}}.to(shard).snapshot.bytes.empty()));
  const PushOutcome second =
      Pushed{.sequence = 2, .previous = 1, .keys = {kA}, .gradients = {1.0F}}.to(shard);
  ASSERT_FALSE(second.snapshot.bytes.empty());
  EXPECT_EQ(second.snapshot.ticket, 5U);
  EXPECT_FALSE(shard.snapshot_after(0, 2, 6).value().bytes.empty()) << "it is there just now";
  EXPECT_EQ(shard.snapshot_after(0, 1, 7).error().code, ErrorCode::kStale);
  // A request replaces the one that waits.
  EXPECT_TRUE(shard.snapshot_after(0, 3, 8).value().bytes.empty());
  EXPECT_FALSE(shard.snapshot_after(0, 0, 9).value().bytes.empty());
  EXPECT_TRUE((Pushed{.sequence = 3, .previous = 2, .keys = {kA}, .gradients = {1.0F}}
                   .to(shard)
                   .snapshot.bytes.empty()));
}

TEST_F(ShardTest, SyncAShardInALaterPassIsTooLateForAStepOfTheOneBefore) {
  declare(1, true);
  EXPECT_EQ((Pushed{.sequence = 1}.to(shard).clock), (StepClock{0, 1}));
  EXPECT_EQ((Pushed{.pass = 1, .sequence = 1}.to(shard).clock), (StepClock{1, 1}));
  EXPECT_EQ(shard.snapshot_after(0, 1, 1).error().code, ErrorCode::kStale);
}

// What a process did is the sum of what its shards did while it led them, whichever come and go.
TEST(ShardStats, ProgressIsTheDifferenceOfCounters) {
  Shard shard(0, kShards);
  shard.declare({{sum_table()}});
  const auto push = [&](std::uint64_t sequence) {
    return Pushed{.sequence = sequence, .previous = sequence - 1, .keys = {key_of(0)}, .gradients = {1.0F}}
        .to(shard);
  };
  ShardStats done;
  push(1);
  const ShardStats before = shard.stats();
  push(2);
  push(3);
  push(3);
  done.add_progress(before, shard.stats());
  EXPECT_EQ(done.pushes_applied_here, 2U);
  EXPECT_EQ(done.pushes_duplicate, 1U);
  EXPECT_EQ(done.rows_pushed, 2U);
  EXPECT_EQ(done.rows, 0U) << "what there is now is no progress";
  Shard other(0, kShards);
  other.declare({{sum_table()}});
  ASSERT_TRUE(other.load_all(shard.save_all().bytes()).ok());
  EXPECT_EQ(other.stats().pushes_applied, 3U) << "with the rows";
  done.add_progress({}, other.stats());
  EXPECT_EQ(done.pushes_applied_here, 2U) << "not of this process";
}

}  // namespace
}  // namespace capstan
