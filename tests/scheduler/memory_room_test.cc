#include "scheduler/memory_room.h"

#include <gtest/gtest.h>

#include "scheduler/placement.h"

namespace capstan {
namespace {

using Fit = MemoryRoom::Fit;

constexpr std::uint64_t kLimit = 160;  // 150 may be filled

ServerMemory holding(std::uint64_t bytes) {
  return {kLimit, bytes, true};
}

TEST(MemoryRoom, ACopyTakesWhatItsPrimaryHoldsOverItsPlaces) {
  const std::vector<ShardEntry> entries = {{0, 1, {1, 2}, 0}, {1, 1, {1}, 0}, {2, 1, {2, 1}, 0}};
  const MemoryRoom room(entries, {{1, holding(90)}, {2, holding(100)}, {3, holding(120)}, {4, holding(121)}},
                        {});
  EXPECT_EQ(room.size_of(entries[0]), std::pair(std::uint64_t{30}, std::uint64_t{30}));
  EXPECT_EQ(room.fits(entries[0], 3), Fit::kYes) << "to the last byte";
  EXPECT_EQ(room.fits(entries[0], 4), Fit::kNo);
  EXPECT_EQ(room.fits(entries[2], 3), Fit::kNo) << "50 bytes";
}

TEST(MemoryRoom, WhatWasPromisedCounts) {
  const std::vector<ShardEntry> entries = {{0, 1, {1}, 0}, {1, 1, {1}, 0}};
  MemoryRoom room(entries, {{1, holding(100)}, {2, holding(60)}}, {});
  ASSERT_EQ(room.fits(entries[0], 2), Fit::kYes);
  room.promise(entries[0], 2);
  EXPECT_EQ(room.fits(entries[1], 2), Fit::kNo);
}

TEST(MemoryRoom, WithoutALimitAllFits) {
  const std::vector<ShardEntry> entries = {{0, 1, {1}, 0}};
  const MemoryRoom room(entries, {{1, holding(140)}, {2, {0, 1 << 30, true}}, {3, {0, 0, false}}}, {});
  EXPECT_EQ(room.fits(entries[0], 2), Fit::kYes);
  EXPECT_EQ(room.fits(entries[0], 3), Fit::kYes);
  EXPECT_EQ(MemoryRoom().fits(entries[0], 1), Fit::kYes);
}

// A scheduler that has just begun knows chains before it hears what they take.
TEST(MemoryRoom, ServersThatHoldShardsAndSaidNothingYetAreWaitedFor) {
  const std::vector<ShardEntry> entries = {{0, 1, {1}, 0}, {1, 1, {2}, 0}};
  const MemoryRoom room(
      entries, {{1, {kLimit, 0, false}}, {2, holding(10)}, {3, {kLimit, 0, false}}, {4, {0, 0, true}}}, {});
  EXPECT_EQ(room.fits(entries[1], 1), Fit::kUnknown);
  EXPECT_EQ(room.fits(entries[0], 2), Fit::kUnknown) << "of unknown size";
  EXPECT_EQ(room.fits(entries[1], 3), Fit::kYes) << "it holds nothing";
  EXPECT_EQ(room.fits(entries[0], 4), Fit::kYes) << "it has no limit";
}

// What is learned is counted little by little.
TEST(MemoryRoom, WhatIsBeingLearnedMayBeCountedAlready) {
  const std::vector<ShardEntry> entries = {{0, 1, {1}, 2}, {1, 1, {1}, 0}, {2, 1, {1}, 0}};
  const auto fit = [&](std::uint64_t bytes) {
    return MemoryRoom(entries, {{1, holding(90)}, {2, holding(bytes)}}, {}).fits(entries[1], 2);
  };
  EXPECT_EQ(fit(90), Fit::kYes) << "with 30 more for each of both";
  EXPECT_EQ(fit(91), Fit::kUnknown);
  EXPECT_EQ(fit(120), Fit::kUnknown);
  EXPECT_EQ(fit(121), Fit::kNo);
  const std::vector<ShardEntry> after = {{0, 2, {1, 2}, 0}, {1, 1, {1}, 0}, {2, 1, {1}, 0}};
  const auto fit_after = [&](const MemoryRoom::Places& joined) {
    return MemoryRoom(after, {{1, holding(90)}, {2, holding(100)}}, joined).fits(after[1], 2);
  };
  EXPECT_EQ(fit_after({{0, 2}}), Fit::kUnknown) << "it joined a moment ago";
  EXPECT_EQ(fit_after({}), Fit::kYes);
}

TEST(MemoryRoom, RoomOfSeveral) {
  const std::vector<ShardEntry> entries = {{0, 1, {1}, 0}, {1, 1, {5}, 0}};
  const MemoryRoom room(
      entries,
      {{1, holding(100)}, {2, holding(140)}, {3, holding(155)}, {4, {0, 7, true}}, {5, {kLimit, 0, false}}},
      {});
  EXPECT_EQ(room.room_of({1, 2, 3}), std::pair(std::uint64_t{60}, true)) << "the third is beyond its own";
  EXPECT_EQ(room.room_of({1, 4}), std::pair(~std::uint64_t{0}, true));
  EXPECT_FALSE(room.room_of({1, 5}).second);
}

TEST(Placement, ShortChainsGetNoLearnersWithoutMemory) {
  const std::vector<PlacementNode> nodes = {{1, kLimit, "a"}, {2, kLimit, "b"}, {3, kLimit, "c"}};
  const std::vector<ShardEntry> entries = {{0, 1, {1}, 0}, {1, 1, {1}, 0}, {2, 1, {1}, 0}, {3, 1, {1, 2}, 0}};
  // Of 25 bytes each. 2 has room for one, 3 for none.
  const MemoryRoom room(entries, {{1, holding(100)}, {2, holding(110)}, {3, holding(130)}}, {});
  const Learners learners = with_learners(entries, 2, nodes, room);
  EXPECT_EQ(learners.entries[0].learner, 2U);
  EXPECT_EQ(learners.entries[1].learner, 0U);
  EXPECT_EQ(learners.no_room, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_TRUE(learners.undecided.empty());
  EXPECT_EQ(with_learners({{0, 1, {1}, 0}}, 2, {{1, kLimit, "a"}}, room).no_room.size(), 0U)
      << "there is no other server";
  const MemoryRoom unheard(entries, {{1, holding(100)}, {2, {kLimit, 0, false}}, {3, holding(130)}}, {});
  EXPECT_EQ(with_learners(entries, 2, nodes, unheard).undecided, (std::vector<std::uint32_t>{0, 1, 2}));
}

}  // namespace
}  // namespace capstan
