#include "ps/copy_waits.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(Duration time) {
  return Instant(seconds(100) + time);
}

TEST(CopyWaits, TheSlowestIsNamedWhileItIsSlow) {
  CopyWaits waits;
  EXPECT_FALSE(waits.longest(at(milliseconds(0))).has_value());
  waits.sent(1, at(milliseconds(0)));
  waits.sent(2, at(milliseconds(0)));
  waits.answered(1, at(milliseconds(0)), at(milliseconds(3)));
  EXPECT_EQ(waits.longest(at(milliseconds(40)))->node, 2U) << "it has not answered yet";
  EXPECT_EQ(waits.longest(at(milliseconds(40)))->time, milliseconds(40));
  waits.answered(2, at(milliseconds(0)), at(milliseconds(50)));
  EXPECT_EQ(waits.longest(at(seconds(4)))->time, milliseconds(50));
  waits.sent(1, at(seconds(6)));
  waits.answered(1, at(seconds(6)), at(seconds(6) + milliseconds(2)));
  EXPECT_EQ(waits.longest(at(seconds(7)))->node, 2U) << "within two periods";
  EXPECT_EQ(waits.longest(at(seconds(11)))->node, 1U);
  EXPECT_FALSE(waits.longest(at(seconds(30))).has_value());
}

// A stopped server's copies have answered long ago: it has only not looked.
TEST(CopyWaits, TimeThatThisServerStoodStillIsNobodysFault) {
  CopyWaits waits;
  waits.look(at(milliseconds(0)));
  waits.sent(1, at(milliseconds(100)));
  waits.sent(2, at(milliseconds(100)));
  waits.answered(1, at(milliseconds(100)), at(seconds(9)));
  EXPECT_FALSE(waits.longest(at(seconds(9))).has_value());
  waits.look(at(seconds(9) + milliseconds(10)));
  waits.look(at(seconds(9) + milliseconds(400)));
  EXPECT_EQ(waits.longest(at(seconds(9) + milliseconds(500)))->node, 2U);
  EXPECT_EQ(waits.longest(at(seconds(9) + milliseconds(500)))->time, milliseconds(490));
}

TEST(CopyWaits, WhatIsSentTwiceAtATimeIsWaitedForTwice) {
  CopyWaits waits;
  waits.sent(1, at(seconds(0)));
  waits.sent(1, at(seconds(0)));
  waits.answered(1, at(seconds(0)), at(seconds(1)));
  EXPECT_EQ(waits.longest(at(seconds(3)))->time, seconds(3));
  waits.answered(1, at(seconds(0)), at(seconds(4)));
  EXPECT_EQ(waits.longest(at(seconds(5)))->time, seconds(4));
}

}  // namespace
}  // namespace capstan
