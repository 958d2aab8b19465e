// What a server answers to whom: one message in, one out.
#include "ps/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/sim/lone_server.h"

namespace capstan {
namespace {

TEST_F(LoneServer, KnowsWhoMaySpeak) {
  begin();
  EXPECT_EQ(value_of(0), 0.0F);
  peer = client.transport().connect("sim://ps-0:1").value();
  EXPECT_EQ(ask(pull_of(0)).error().code, ErrorCode::kUnavailable) << "not greeted";
  Hello other = hello();
  other.job_id = "another";
  EXPECT_EQ(ask(other).error().code, ErrorCode::kRefused);
  other = hello();
  other.protocol_version = kProtocolVersion + 1;
  const auto refused = ask(other);
  EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  EXPECT_NE(refused.error().message.find("protocol"), std::string::npos);
  EXPECT_EQ(ask(pull_of(0)).error().code, ErrorCode::kUnavailable) << "a refused greeting opens nothing";
}

TEST_F(LoneServer, AppliesAPushOnce) {
  begin();
  EXPECT_EQ(status_of(push_of(0, 1, {2.0F, 3.0F})), SliceStatus::kOk);
  EXPECT_EQ(status_of(push_of(0, 1, {2.0F, 3.0F})), SliceStatus::kDuplicate);
  EXPECT_EQ(status_of(push_of(0, 3, {2.0F, 3.0F})), SliceStatus::kGap);
  EXPECT_EQ(value_of(0), 2.0F);
}

// The map may overtake the welcome that says which of its nodes we are.
TEST_F(LoneServer, TakesItsShardsWhicheverComesFirst) {
  world.crash(node, SimWorld::Crash::kProcess);
  welcomes = false;
  world.restart(node);
  world.run_for(milliseconds(100));
  give_map();
  welcomes = true;
  world.run_for(seconds(3));
  declare(0, false);
  peer = client.transport().connect("sim://ps-0:1").value();
  EXPECT_TRUE(ask(hello()).ok());
  EXPECT_EQ(status_of(push_of(1, 1, {1.0F, 1.0F})), SliceStatus::kOk);
}

TEST_F(LoneServer, RefusesBadGradientsAndConsumesTheirNumbers) {
  begin();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, nan})), SliceStatus::kRefused);
  EXPECT_EQ(status_of(push_of(0, 2, {1.0F})), SliceStatus::kRefused) << "too short";
  EXPECT_EQ(status_of(push_of(0, 3, {1.0F, 1.0F, 1.0F})), SliceStatus::kRefused) << "too long";
  EXPECT_EQ(status_of(push_of(0, 4, {5.0F, 1.0F})), SliceStatus::kOk);
  EXPECT_EQ(value_of(0), 5.0F);
}

TEST_F(LoneServer, AnUnknownTableIsAskedForAgainLater) {
  give_map();
  EXPECT_TRUE(ask(hello()).ok());
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kBusy) << "nothing is declared yet";
  EXPECT_EQ(status_of(pull_of(0)), SliceStatus::kRefused);
  declare(0, false);
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
}

// Workers that outlived their cluster know the new map, but hold work under terms of the old one.
TEST_F(LoneServer, AFormerClustersWorkersGetNoRowsAndChangeNone) {
  fence = 2ULL << 32;
  begin(1, false);
  Pull former = pull_of(0);
  former.term = fence - 1;
  EXPECT_EQ(status_of(former), SliceStatus::kFenced);
  former.needs_clock = 5;
  const auto at_once = ask(former);
  ASSERT_TRUE(at_once.ok()) << "nothing is waited for";
  EXPECT_EQ(std::get<PullReply>(*at_once).slices[0].status, SliceStatus::kFenced);
  Push push = push_of(0, 1, {1.0F, 1.0F});
  push.term = fence - 1;
  EXPECT_EQ(status_of(push), SliceStatus::kFenced);
  push.term = fence + 1;
  EXPECT_EQ(status_of(push), SliceStatus::kOk);
  Pull present = pull_of(0, 1);
  present.term = fence + 1;
  EXPECT_EQ(status_of(present), SliceStatus::kOk);
}

TEST_F(LoneServer, SendsAwayWhatIsNotItsOwn) {
  begin();
  EXPECT_EQ(status_of(push_of(3, 1, {1.0F, 1.0F})), SliceStatus::kStale) << "another's shard";
  Push old = push_of(0, 1, {1.0F, 1.0F});
  old.map_version = kMapVersion - 1;
  EXPECT_EQ(status_of(old), SliceStatus::kStale) << "the shard changed hands since";
  Push newer = push_of(0, 1, {1.0F, 1.0F});
  newer.map_version = kMapVersion + 1;
  EXPECT_EQ(status_of(newer), SliceStatus::kStale) << "the sender knows more than we do";
  Push beyond = push_of(0, 1, {1.0F, 1.0F});
  beyond.slices[0].shard = 1000;
  EXPECT_EQ(status_of(beyond), SliceStatus::kStale);
  EXPECT_EQ(value_of(0), 0.0F);
}

// A server serves only while its lease holds. Alone in its chain it goes on for the grace (5 s).
TEST_F(LoneServer, FencesItselfWhenTheSchedulerIsSilent) {
  begin();
  renews = false;
  world.run_for(seconds(4));
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
  world.run_for(seconds(1));
  EXPECT_EQ(status_of(push_of(0, 2, {1.0F, 1.0F})), SliceStatus::kStale);
  EXPECT_EQ(status_of(pull_of(0)), SliceStatus::kStale);
  renews = true;
  world.run_for(seconds(1));
  EXPECT_EQ(status_of(push_of(0, 2, {1.0F, 1.0F})), SliceStatus::kOk);
  EXPECT_EQ(value_of(0), 2.0F);
}

// SIGSTOP: the answer to its last heartbeat lay unread all the while. It proves nothing about now.
TEST_F(LoneServer, AnOldAnswerReadLateRenewsNothing) {
  begin();
  renews = false;
  stops_at_heartbeat = true;
  EXPECT_TRUE(world.run_until([&] { return !stops_at_heartbeat; }, seconds(2)));
  world.run_for(seconds(20));
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kStale);
}

// requests_max is 2: pulls that wait for a step must not keep out the pushes that they wait for.
TEST_F(LoneServer, WaitingPullsLeaveRoomForPushes) {
  begin(1, false);
  int served = 0;
  for (int i = 0; i < 2; ++i) {
    client_rpc->call(peer, pull_of(0, 1), seconds(10), [&](const Result<Message>& reply) {
      served += reply.ok() && std::get<PullReply>(*reply).slices[0].status == SliceStatus::kOk ? 1 : 0;
    });
  }
  world.run_for(milliseconds(100));
  EXPECT_EQ(served, 0);
  EXPECT_EQ(status_of(pull_of(0, 1)), SliceStatus::kBusy) << "a third one is too many";
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
  world.run_for(milliseconds(100));
  EXPECT_EQ(served, 2);
}

const Snapshot kSnapshot{1, "checkpoints/ckpt-000001", 0, 0, 0};

// A repetition must not write over what may be published by now.
TEST_F(LoneServer, ASnapshotAskedForTwiceIsTakenOnce) {
  begin();
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
  to_server(kSnapshot, 10);
  ASSERT_EQ(errand_answers.size(), 1U);
  const auto first = std::get<SnapshotReply>(errand_answers[0]);
  EXPECT_EQ(first.error, "");
  ASSERT_EQ(first.sections.size(), 3U);
  EXPECT_EQ(first.sections[0].rows + first.sections[1].rows + first.sections[2].rows, 1U);
  const auto before = node.storage().read("checkpoints/ckpt-000001/ps-0.rows");
  EXPECT_EQ(status_of(push_of(0, 2, {1.0F, 1.0F})), SliceStatus::kOk);
  to_server(kSnapshot, 10);
  ASSERT_EQ(errand_answers.size(), 2U) << "answered again";
  EXPECT_EQ(std::get<SnapshotReply>(errand_answers[1]).sections[0].checksum, first.sections[0].checksum);
  EXPECT_EQ(node.storage().read("checkpoints/ckpt-000001/ps-0.rows")->text(), before->text());
  to_server(kSnapshot, 9);
  EXPECT_EQ(errand_answers.size(), 2U) << "an older request, overtaken";
}

// What changed since a checkpoint, and the rows that both come to.
TEST_F(LoneServer, ASnapshotGoesOnFromTheOneBeforeAndIsRestoredWithIt) {
  begin();
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
  to_server(kSnapshot, 10);
  EXPECT_EQ(status_of(push_of(0, 2, {2.0F, 1.0F})), SliceStatus::kOk);
  Snapshot next = kSnapshot;
  next.checkpoint = 2;
  next.directory = "checkpoints/ckpt-000002";
  next.base = 1;
  to_server(next, 11);
  Restore restore{next.directory, {}};
  for (std::uint64_t n = 0; n < 2; ++n) {
    for (ShardSection each : std::get<SnapshotReply>(errand_answers.at(n)).sections) {
      EXPECT_EQ(each.base, n);
      if (n == 0) each.folder = "ckpt-000001";
      restore.sections.push_back(each);
    }
  }
  std::ranges::stable_sort(restore.sections, {}, &ShardSection::shard);
  EXPECT_EQ(status_of(push_of(0, 3, {4.0F, 1.0F})), SliceStatus::kOk);
  to_server(restore, 12);
  EXPECT_EQ(std::get<RestoreReply>(errand_answers.at(2)).error, "");
  EXPECT_EQ(value_of(0), 3.0F);
  next.checkpoint = 3;
  next.directory = "checkpoints/ckpt-000003";
  next.base = 2;
  to_server(next, 13);
  EXPECT_EQ(std::get<SnapshotReply>(errand_answers.at(3)).sections[0].base, 0U) << "it was restored since";
  Restore damaged = restore;
  ++damaged.sections[2].checksum;
  to_server(damaged, 14);
  const auto& reply = std::get<RestoreReply>(errand_answers.at(4));
  EXPECT_TRUE(reply.damaged);
  EXPECT_EQ(reply.damaged_file, "checkpoints/ckpt-000001/ps-0.rows");
  EXPECT_EQ(reply.damaged_offset, damaged.sections[2].offset);
}

// A repetition must not undo what was acknowledged since.
TEST_F(LoneServer, ARestoreAskedForTwiceIsDoneOnce) {
  begin();
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
  to_server(kSnapshot, 10);
  const auto taken = std::get<SnapshotReply>(errand_answers.at(0));
  Restore restore{kSnapshot.directory, taken.sections};
  EXPECT_EQ(status_of(push_of(0, 2, {5.0F, 1.0F})), SliceStatus::kOk);
  to_server(restore, 11);
  EXPECT_EQ(value_of(0), 1.0F) << "back at the checkpoint";
  Push next = push_of(0, 2, {7.0F, 1.0F});
  EXPECT_EQ(status_of(next), SliceStatus::kFenced) << "the holder from before";
  next.term = 2;
  EXPECT_EQ(status_of(next), SliceStatus::kOk);
  to_server(restore, 11);
  EXPECT_EQ(errand_answers.size(), 3U);
  EXPECT_EQ(value_of(0), 8.0F);
}

TEST_F(LoneServer, ADamagedSectionIsNamedAndNotTaken) {
  begin();
  EXPECT_EQ(status_of(push_of(0, 1, {1.0F, 1.0F})), SliceStatus::kOk);
  to_server(kSnapshot, 10);
  Restore restore{kSnapshot.directory, std::get<SnapshotReply>(errand_answers.at(0)).sections};
  ++restore.sections[0].checksum;
  to_server(restore, 11);
  EXPECT_NE(std::get<RestoreReply>(errand_answers.at(1)).error.find("damaged"), std::string::npos);
}

TEST_F(LoneServer, ADiskFaultFailsTheSnapshotAndIsToldInWords) {
  begin();
  node.disk().set_capacity(64);
  to_server(kSnapshot, 10);
  EXPECT_TRUE(std::get<SnapshotReply>(errand_answers.at(0)).no_space);
  node.disk().set_capacity(1 << 20);
  node.disk().fail_next_syncs(1);
  Snapshot second = kSnapshot;
  second.directory = "checkpoints/ckpt-000002";
  to_server(second, 11);
  EXPECT_NE(std::get<SnapshotReply>(errand_answers.at(1)).error, "");
  EXPECT_FALSE(std::get<SnapshotReply>(errand_answers.at(1)).no_space);
  second.directory = "checkpoints/ckpt-000003";
  to_server(second, 12);
  EXPECT_EQ(std::get<SnapshotReply>(errand_answers.at(2)).error, "");
}

// Two cuts in a row, the first still waiting for its step: their sections must not mix.
TEST_F(LoneServer, ANewSnapshotReplacesOneThatWaits) {
  begin(1, true);
  Snapshot waits = kSnapshot;
  waits.after_step = 2;
  to_server(waits, 10);
  EXPECT_TRUE(errand_answers.empty());
  to_server(kSnapshot, 11);
  ASSERT_EQ(errand_answers.size(), 2U) << "the first is cancelled, the second done";
  EXPECT_NE(std::get<SnapshotReply>(errand_answers[0]).error, "");
  EXPECT_EQ(std::get<SnapshotReply>(errand_answers[1]).sections.size(), 3U);
  for (std::uint64_t step = 1; step <= 2; ++step) {
    EXPECT_EQ(status_of(push_of(0, step, {1.0F, 1.0F})), SliceStatus::kOk);
  }
  EXPECT_EQ(errand_answers.size(), 2U);
}

TEST_F(LoneServer, SyncAStepWaitsForItsSlotsAndAnswersThemTogether) {
  begin(2, true);
  bool first = false;
  client_rpc->call(peer, push_of(0, 1, {1.0F, 0.0F}, 0), seconds(10),
                   [&](const Result<Message>& reply) { first = reply.ok(); });
  world.run_for(seconds(1));
  EXPECT_FALSE(first);
  EXPECT_EQ(status_of(push_of(0, 1, {10.0F, 0.0F}, 1)), SliceStatus::kOk);
  world.run_for(milliseconds(100));
  EXPECT_TRUE(first);
  EXPECT_EQ(value_of(0), 11.0F);
}

}  // namespace
}  // namespace capstan
