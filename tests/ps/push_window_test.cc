#include "ps/push_window.h"

#include <gtest/gtest.h>

#include "common/direct_stream.h"

namespace capstan {
namespace {

constexpr auto kOk = SliceStatus::kOk;
constexpr auto kDuplicate = SliceStatus::kDuplicate;
constexpr auto kFenced = SliceStatus::kFenced;
constexpr auto kGap = SliceStatus::kGap;

// One shard's window for stream (pass 0, partition 0), and what it has applied.
struct Window {
  SliceStatus push(std::uint64_t term, std::uint64_t sequence, std::uint64_t previous) {
    const SliceStatus status = window.check(0, 0, term, sequence, previous);
    if (status != kOk) return status;
    window.record(0, 0, sequence);
    applied.push_back(sequence);
    return kOk;
  }
  PushWindow window;
  std::vector<std::uint64_t> applied;
};

TEST(PushWindow, AppliesEachSliceOnce) {
  Window shard;
  EXPECT_EQ(shard.push(7, 1, 0), kOk);
  EXPECT_EQ(shard.push(7, 1, 0), kDuplicate);
  EXPECT_EQ(shard.push(7, 4, 1), kOk) << "2 and 3 did not touch the shard";
  EXPECT_EQ(shard.push(7, 3, 1), kDuplicate);
  EXPECT_EQ(shard.applied, (std::vector<std::uint64_t>{1, 4}));
}

// docs/PROTOCOL.md, push identity: a worker dies after batch 9 reached shard A but not B; the next holder
// does it again.
TEST(PushWindow, ABatchThatReachedOneShardOfTwoIsCompletedByTheNextHolder) {
  Window a, b;
  EXPECT_EQ(a.push(1, 8, 0), kOk);
  EXPECT_EQ(b.push(1, 8, 0), kOk);
  EXPECT_EQ(a.push(1, 9, 8), kOk);
  // The next holder begins after the watermark 8.
  EXPECT_EQ(a.push(2, 9, 0), kDuplicate);
  EXPECT_EQ(b.push(2, 9, 0), kOk);
  EXPECT_EQ(a.applied, b.applied);
}

// docs/PROTOCOL.md, sealed slices: 5 times out, 6 is sent, 5 comes again.
TEST(PushWindow, ALaterBatchWaitsForTheOneBefore) {
  Window shard;
  EXPECT_EQ(shard.push(1, 4, 0), kOk);
  EXPECT_EQ(shard.push(1, 6, 5), kGap) << "else 5 would come as a duplicate and be lost";
  EXPECT_EQ(shard.push(1, 5, 4), kOk);
  EXPECT_EQ(shard.push(1, 6, 5), kOk);
  EXPECT_EQ(shard.applied, (std::vector<std::uint64_t>{4, 5, 6}));
}

TEST(PushWindow, AZombieWithAnOldTermIsFenced) {
  Window shard;
  EXPECT_EQ(shard.push(1, 3, 0), kOk);
  EXPECT_EQ(shard.push(2, 3, 0), kDuplicate) << "even a repetition tells of the new term";
  EXPECT_EQ(shard.push(1, 4, 3), kFenced);
  EXPECT_EQ(shard.push(1, 3, 0), kFenced);
  EXPECT_EQ(shard.push(2, 5, 3), kOk);
}

TEST(PushWindow, StreamsDoNotTouchEachOther) {
  PushWindow window;
  EXPECT_EQ(window.check(0, 0, 5, 1, 0), kOk);
  window.record(0, 0, 1);
  EXPECT_EQ(window.check(0, 1, 1, 1, 0), kOk);
  EXPECT_EQ(window.check(1, 0, 1, 1, 0), kOk);
  EXPECT_EQ(window.last(0, 0), 1U);
  EXPECT_EQ(window.last(0, 1), 0U);
  EXPECT_EQ(window.newest_pass(), 1U);
}

TEST(PushWindow, TheClockIsTheSlowestSlots) {
  PushWindow window;
  for (const auto& [slot, last] : {std::pair{0U, 4U}, {1U, 2U}}) window.record(3, slot, last);
  EXPECT_EQ(window.clock(3, 2), 2U);
  EXPECT_EQ(window.clock(3, 3), 0U) << "slot 2 has not reported";
  EXPECT_EQ(window.clock(2, 2), 0U);
  EXPECT_EQ(window.clock(3, 0), 0U);
}

TEST(PushWindow, AFinishedPassThatWasForgottenIsFencedNotAppliedAgain) {
  Window shard;
  EXPECT_EQ(shard.push(1, 1, 0), kOk);
  shard.window.forget_below(1);
  EXPECT_EQ(shard.push(1, 1, 0), kFenced);
  EXPECT_EQ(shard.push(9, 2, 0), kFenced);
  shard.window.forget_below(0);
  EXPECT_EQ(shard.push(9, 2, 0), kFenced) << "what is forgotten stays so";
}

// A late copy of its push must not find the place empty.
TEST(PushWindow, AClosedDirectStreamIsForgottenAndFenced) {
  PushWindow window;
  const auto push = [&](std::uint64_t term, std::uint64_t sequence) {
    const std::uint32_t pass = direct_pass_of(term), partition = direct_partition_of(term);
    const SliceStatus status = window.check(pass, partition, term, sequence, sequence - 1);
    if (status == kOk) window.record(pass, partition, sequence);
    return status;
  };
  const std::uint64_t first = (std::uint64_t{2} << 32) + 5, second = first + 1,
                      later = std::uint64_t{3} << 32;
  for (const std::uint64_t term : {first, second, later}) EXPECT_EQ(push(term, 1), kOk);
  EXPECT_EQ(window.check(0, 1, first, 1, 0), kOk);
  EXPECT_TRUE(window.forget_direct_below(second));
  EXPECT_FALSE(window.forget_direct_below(first)) << "no news";
  EXPECT_EQ(window.term(direct_pass_of(first), direct_partition_of(first)), 0U);
  EXPECT_EQ(push(first, 1), kFenced);
  EXPECT_EQ(push(second, 1), kDuplicate);
  EXPECT_EQ(push(later, 2), kOk);
  EXPECT_EQ(window.check(0, 1, first, 1, 0), kOk) << "streams of work items are none";
}

TEST(PushWindow, ComesBackFromItsBytes) {
  PushWindow window;
  EXPECT_EQ(window.check(2, 3, 8, 5, 0), kOk);
  window.record(2, 3, 5);
  window.forget_below(1);
  ByteWriter out;
  window.save(out);
  const Buffer bytes = out.take();
  PushWindow copy;
  ByteReader in(bytes.bytes());
  copy.restore(in);
  EXPECT_TRUE(in.finish().ok());
  EXPECT_EQ(copy, window);
  EXPECT_EQ(copy.check(2, 3, 7, 6, 5), kFenced);
  EXPECT_EQ(copy.check(2, 3, 8, 5, 0), kDuplicate);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader torn(bytes.bytes().first(size));
    PushWindow rubbish;
    rubbish.restore(torn);
    EXPECT_FALSE(torn.finish().ok()) << size;
  }
}

}  // namespace
}  // namespace capstan
