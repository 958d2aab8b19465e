#include "ps/replica_log.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

constexpr NodeId kNext = 2, kOther = 3;

std::size_t ready(ReplicaLog& log) {
  return log.take_ready().size();
}
// The positions that go out.
std::vector<std::uint64_t> send(ReplicaLog& log) {
  std::vector<std::uint64_t> positions;
  for (; log.has_unsent(); log.mark_sent()) positions.push_back(log.next_unsent().head.position);
  return positions;
}
using Positions = std::vector<std::uint64_t>;

TEST(ReplicaLog, AloneEverythingIsCommittedAtOnce) {
  ReplicaLog log;
  log.advance();
  log.append({});
  EXPECT_EQ(log.applied(), 2U);
  EXPECT_EQ(log.committed(), 2U);
  EXPECT_FALSE(log.has_unsent());
}

TEST(ReplicaLog, WaitsForTheNextMember) {
  ReplicaLog log;
  log.follow(kNext);
  for (int i = 0; i < 3; ++i) {
    log.append({});
    log.when_committed(log.applied(), [](bool) {});
  }
  EXPECT_EQ(send(log), (Positions{1, 2, 3})) << "without waiting for answers";
  EXPECT_EQ(ready(log), 0U);
  log.confirm(2);
  EXPECT_EQ(log.committed(), 2U);
  EXPECT_EQ(ready(log), 2U);
  log.confirm(1);
  log.confirm(9);
  EXPECT_EQ(log.committed(), 2U) << "old news, and news of what never was";
  log.confirm(3);
  EXPECT_EQ(ready(log), 1U);
}

TEST(ReplicaLog, SendsAgainWhatIsNotConfirmedOncePerRound) {
  ReplicaLog log;
  log.follow(kNext);
  for (int i = 0; i < 4; ++i) log.append({});
  const std::uint64_t round = log.round();
  send(log);
  log.confirm(1);
  log.rewind(round);
  EXPECT_EQ(send(log), (Positions{2, 3, 4}));
  log.rewind(round);
  EXPECT_TRUE(send(log).empty()) << "the answer to another message of that round";
}

TEST(ReplicaLog, AnotherNextMemberGetsWhatTheFormerHadNotConfirmed) {
  ReplicaLog log;
  log.follow(kNext);
  for (int i = 0; i < 4; ++i) log.append({});
  send(log);
  log.confirm(2);
  log.follow(kOther);
  EXPECT_EQ(send(log), (Positions{3, 4}));
  EXPECT_EQ(log.committed(), 2U);
  log.when_committed(4, [](bool) {});
  log.follow(0);
  EXPECT_EQ(log.committed(), 4U) << "the last one has nobody to wait for";
  EXPECT_EQ(ready(log), 1U);
}

TEST(ReplicaLog, ALearnerGetsAllFromItsBytesOnAndCountsOnceIncluded) {
  ReplicaLog log;
  log.append({});
  log.append({});
  log.teach(kNext);
  EXPECT_FALSE(log.has_unsent());
  log.append({});
  EXPECT_EQ(log.committed(), 3U) << "nobody waits for it";
  EXPECT_EQ(send(log), Positions{3});
  log.include();
  EXPECT_EQ(log.committed(), 2U);
  log.confirm(3);
  EXPECT_EQ(log.committed(), 3U);
  log.append({});
  log.follow(kNext);  // a member now
  EXPECT_EQ(send(log), Positions{4}) << "goes on where it was";
  EXPECT_EQ(log.committed(), 3U);
}

// The last of a chain teaches, the learner is given up, the shard is handed to the teacher; and the teacher
// hears of the last of these only.
TEST(ReplicaLog, AMemberInALearnersPlaceHasWhatWeHave) {
  ReplicaLog log;
  log.append({});
  log.teach(kNext);
  log.append({});
  send(log);
  log.follow(kOther);
  EXPECT_FALSE(log.has_unsent());
  EXPECT_EQ(log.committed(), 2U);
  log.append({});
  EXPECT_EQ(send(log), Positions{3});
  EXPECT_EQ(log.committed(), 2U) << "it is a member";
}

TEST(ReplicaLog, WhatIsDroppedIsToldSo) {
  ReplicaLog log;
  log.follow(kNext);
  log.append({});
  int told = 0;
  log.when_committed(1, [&](bool committed) { told += committed ? 100 : 1; });
  for (const auto& then : log.drop()) then(false);
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace capstan
