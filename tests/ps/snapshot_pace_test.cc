#include "ps/snapshot_pace.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{Duration(1s)};

TEST(SnapshotPace, KeepsToItsRateWhileOthersAreServed) {
  SnapshotPace pace(1000);
  pace.begin(7);
  EXPECT_EQ(pace.shards_at_once(), 1U);
  pace.note(kStart, 500);
  EXPECT_EQ(pace.rest(kStart + 100ms, 8), 400ms) << "half a second for half the bytes of a second";
  EXPECT_EQ(pace.shards_at_once(), 1U);
  pace.note(kStart + 500ms, 500);
  EXPECT_EQ(pace.rest(kStart + 1200ms, 9), 0ms) << "it took longer by itself";
}

TEST(SnapshotPace, DoesNotRestWhenNobodyAsks) {
  SnapshotPace pace(1000);
  pace.begin(7);
  pace.note(kStart, 500);
  EXPECT_EQ(pace.rest(kStart + 100ms, 7), 0ms);
  EXPECT_EQ(pace.shards_at_once(), 3U);
  pace.note(kStart + 100ms, 500);
  EXPECT_EQ(pace.rest(kStart + 200ms, 8), 400ms) << "until somebody does";
  EXPECT_EQ(pace.shards_at_once(), 1U);
}

TEST(SnapshotPace, WithoutALimitNeverRests) {
  SnapshotPace pace(0);
  pace.begin(0);
  pace.note(kStart, 1ULL << 40);
  EXPECT_EQ(pace.rest(kStart, 1), 0ms);
}

}  // namespace
}  // namespace capstan
