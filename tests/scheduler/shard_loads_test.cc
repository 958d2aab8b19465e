#include "scheduler/shard_loads.h"

#include <gtest/gtest.h>

#include <limits>

namespace capstan {
namespace {

TEST(ShardLoads, AreKnownAfterTwoReportsOfEachShard) {
  ShardLoads loads(3);
  EXPECT_TRUE(loads.relative().empty());
  loads.note({{0, 10}, {1, 20}, {2, 30}});
  EXPECT_TRUE(loads.relative().empty());
  loads.note({{0, 10}, {1, 20}});
  EXPECT_TRUE(loads.relative().empty());
  loads.note({{2, 30}});
  const std::vector<double> relative = loads.relative();
  ASSERT_EQ(relative.size(), 3U);
  EXPECT_DOUBLE_EQ(relative[0], 0.5);
  EXPECT_DOUBLE_EQ(relative[1], 1.0);
  EXPECT_DOUBLE_EQ(relative[2], 1.5);
}

TEST(ShardLoads, ABurstCountsInPart) {
  ShardLoads loads(1);
  loads.note({{0, 100}});
  loads.note({{0, 200}});
  EXPECT_DOUBLE_EQ(loads.rows_per_second(0), 130.0);
}

TEST(ShardLoads, WhatNobodyAsksForHasNoShares) {
  ShardLoads loads(2);
  for (int report = 0; report < 2; ++report) loads.note({{0, 0}, {1, 0}});
  EXPECT_TRUE(loads.relative().empty());
}

TEST(ShardLoads, RatesThatAreNoneAreNotTaken) {
  ShardLoads loads(1);
  loads.note({{0, std::numeric_limits<float>::quiet_NaN()}, {0, -1}, {7, 5}});
  loads.note({{0, std::numeric_limits<float>::infinity()}});
  EXPECT_DOUBLE_EQ(loads.rows_per_second(0), 0.0);
  EXPECT_TRUE(loads.relative().empty());
}

}  // namespace
}  // namespace capstan
