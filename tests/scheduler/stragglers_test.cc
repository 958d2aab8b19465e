#include "scheduler/stragglers.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

using std::chrono::milliseconds;

constexpr NodeId kSlow = 1, kFast = 2, kNew = 3;

// Two partitions of 160 batches, so of segments of 20; kSlow has one, kFast has done the other.
class StragglersTest : public ::testing::Test {
 protected:
  StragglersTest() {
    for (std::uint32_t p = 0; p < 2; ++p) list.add({kTrainWork, 0, p, ""}, 2);
    slow = grant(kSlow);
  }
  WorkGrant grant(NodeId worker) {
    const auto granted = list.grant(worker, 0, 1);
    EXPECT_TRUE(granted.has_value());
    stragglers.on_grant(worker, granted->grant, now);
    return granted->grant;
  }
  WorkCursor at(const WorkGrant& grant, std::uint64_t watermark) const {
    WorkCursor cursor;
    cursor.work = grant.work;
    cursor.term = grant.term;
    cursor.watermark = watermark;
    cursor.batches = 160;
    cursor.end = grant.end_batch == 0 ? 160 : grant.end_batch;
    return cursor;
  }
  void report(NodeId worker, const WorkGrant& grant, std::uint64_t watermark) {
    EXPECT_TRUE(list.progress(worker, at(grant, watermark)));
    stragglers.on_report(worker, at(grant, watermark), now);
  }
  // kFast does its partition at `pace` batches a second, and the next second of the job has passed.
  void fast_ends(double pace) {
    const WorkGrant fast = grant(kFast);
    now += milliseconds(static_cast<std::int64_t>(160'000.0 / pace));
    report(kFast, fast, 160);
    EXPECT_TRUE(list.finish(kFast, at(fast, 160), {}));
  }
  std::optional<Stragglers::Wish> choose(NodeId idle) { return stragglers.choose(list, idle, now); }

  WorkList list{2};
  Stragglers stragglers;
  WorkGrant slow;
  Instant now{};
};

TEST_F(StragglersTest, TheEndIsWhereBothComeToTheirsTogether) {
  fast_ends(80);            // in two seconds
  report(kSlow, slow, 20);  // 10 a second: 14 seconds left, less than two for kFast
  EXPECT_DOUBLE_EQ(*stragglers.pace(kSlow), 10.0);
  EXPECT_DOUBLE_EQ(*stragglers.pace(kFast), 80.0);
  const auto wish = choose(kFast);
  ASSERT_TRUE(wish.has_value());
  EXPECT_EQ(wish->work, slow.work);
  EXPECT_EQ(wish->term, slow.term);
  EXPECT_EQ(wish->end, 40U) << "20 + 140 / 9 is 35, in the segment from 20; that is begun";
  EXPECT_EQ(stragglers.wished_end(at(slow, 21), now), 40U);
  EXPECT_FALSE(choose(kFast).has_value()) << "one at a time";
  EXPECT_FALSE(choose(kNew).has_value()) << "it is to be split already";
  stragglers.was_split(slow.work);
  EXPECT_EQ(stragglers.wished_end(at(slow, 21), now), 0U);
}

TEST_F(StragglersTest, AWishLapses) {
  fast_ends(80);
  report(kSlow, slow, 20);
  ASSERT_TRUE(choose(kFast).has_value());
  now += milliseconds(2000);
  EXPECT_EQ(stragglers.wished_end(at(slow, 21), now), 0U);
  report(kSlow, slow, 40);
  EXPECT_EQ(choose(kFast)->end, 60U);
  WorkCursor other = at(slow, 41);
  ++other.term;
  EXPECT_EQ(stragglers.wished_end(other, now), 0U) << "of another holder";
}

TEST_F(StragglersTest, WhoIsNotHalfAsFastAgainGetsNothing) {
  fast_ends(40);
  report(kSlow, slow, 84);  // 21 a second
  EXPECT_FALSE(choose(kFast).has_value());
  now += milliseconds(4000);
  report(kSlow, slow, 86);  // it has become slow
  EXPECT_LT(*stragglers.pace(kSlow), 20.0);
  EXPECT_EQ(choose(kFast)->end, 100U);
}

TEST_F(StragglersTest, WhatWillEndSoonIsLeft) {
  fast_ends(80);
  report(kSlow, slow, 40);  // 20 a second: 6 seconds left
  now += milliseconds(1000);
  report(kSlow, slow, 110);  // 36 a second: 1.4 seconds left
  EXPECT_FALSE(choose(kFast).has_value());
}

TEST_F(StragglersTest, TheLastSegmentIsLeft) {
  fast_ends(80);
  now += milliseconds(100'000);
  report(kSlow, slow, 140);
  EXPECT_FALSE(choose(kFast).has_value());
}

TEST_F(StragglersTest, WhoHasNoPaceYetIsTakenToBeAsFastAsTheFastest) {
  report(kSlow, slow, 10);
  EXPECT_FALSE(choose(kNew).has_value()) << "nobody's pace is known";
  now += milliseconds(1000);
  report(kSlow, slow, 20);
  EXPECT_FALSE(choose(kNew).has_value()) << "the holder is the fastest";
  fast_ends(80);
  report(kSlow, slow, 21);
  EXPECT_TRUE(choose(kNew).has_value());
}

// A scheduler that was started anew hears of a grant that it did not give.
TEST_F(StragglersTest, PacesOfAHolderFromBeforeAreLearned) {
  Stragglers restarted;
  restarted.on_report(kSlow, at(slow, 100), now);
  EXPECT_FALSE(restarted.pace(kSlow).has_value());
  now += milliseconds(2000);
  restarted.on_report(kSlow, at(slow, 110), now);
  EXPECT_DOUBLE_EQ(*restarted.pace(kSlow), 5.0);
}

TEST_F(StragglersTest, OfSeveralTheOneThatNeedsLongest) {
  WorkList three(2);
  for (std::uint32_t p = 0; p < 3; ++p) three.add({kTrainWork, 1, p, ""}, 3);
  list = std::move(three);
  const WorkGrant a = grant(kSlow), b = grant(kNew);
  fast_ends(80);
  report(kSlow, a, 20);
  report(kNew, b, 10);
  EXPECT_EQ(choose(kFast)->work, b.work);
  EXPECT_EQ(choose(4)->work, a.work) << "for another idle one";
}

}  // namespace
}  // namespace capstan
