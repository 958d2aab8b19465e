#include "worker/train/puller.h"

#include <gtest/gtest.h>

#include "tests/worker/train/played_cluster.h"

namespace capstan {
namespace {

class PullerTest : public PlayedCluster {
 protected:
  void make(std::uint64_t frame_bytes_max = 1 << 20) {
    puller =
        std::make_unique<Puller>(node.loop(), *rpc, Log::silent(), *link, *peers, specs, frame_bytes_max);
    on_change = [this] { puller->resume(); };
  }
  void pull(const std::vector<std::uint32_t>& shards) {
    tables = tables_of(shards);
    ticket = ticket_of(tables);
    ticket.pass = 2;
    ticket.term = 9;
    ticket.needs_clock = 6;
    puller->pull(tables, ticket, [this] { ++done; });
  }
  // The first server leads, the second has copies.
  void give_shards_to_both() {
    give_shards_to(kFirstServer);
    for (ShardEntry& entry : map.shards) entry.chain = {kFirstServer, kSecondServer};
    EXPECT_TRUE(world.run_until(
        [&] { return link->map().version() == map.version && peers->find(kSecondServer).has_value(); },
        seconds(5)));
  }
  void ask_copies() {
    tables = tables_of({0, 1, 2, 3});
    ticket = ticket_of(tables);
    ticket.needs_clock = 6;
    ticket.of_copies = true;
    puller->pull(tables, ticket, [this] { ++done; });
  }
  void expect_rows() const {
    for (std::size_t i = 0; i < tables[0].keys.size(); ++i) {
      EXPECT_EQ(tables[0].rows[2 * i], static_cast<float>(tables[0].keys[i]));
      EXPECT_EQ(tables[0].rows[2 * i + 1], static_cast<float>(tables[0].keys[i]) + 0.5F);
    }
    for (std::size_t i = 0; i < ticket.ranges.size(); ++i)
      EXPECT_EQ(ticket.versions[i], ticket.ranges[i].shard + 10);
  }

  std::unique_ptr<Puller> puller;
  std::vector<StepTable> tables;
  PullTicket ticket;
  int done = 0;
};

TEST_F(PullerTest, FillsRowsInTheOrderOfTheirKeys) {
  make();
  pull({0, 1, 2, 3});
  EXPECT_EQ(done, 0) << "never before it returns";
  world.run_for(seconds(1));
  EXPECT_EQ(done, 1);
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].pass, 2U);
  EXPECT_EQ(pulls[0].term, 9U);
  EXPECT_EQ(pulls[0].needs_clock, 6U);
  expect_rows();
  EXPECT_EQ(puller->bytes(), 4 * 2 * sizeof(float));
}

TEST_F(PullerTest, AsksAgainForWhatWasLostStaleOrBusy) {
  make();
  const SliceStatus answers[] = {SliceStatus::kStale, SliceStatus::kBusy, SliceStatus::kRefused};
  on_pull = [&](const Message& message) -> std::optional<Message> {
    const std::size_t turn = pulls.size() - 1;
    if (turn == 0) return std::nullopt;
    return turn <= 3 ? rows_of(std::get<Pull>(message), answers[turn - 1]) : rows_of(std::get<Pull>(message));
  };
  pull({0, 2});
  world.run_for(seconds(4));
  EXPECT_EQ(pulls.size(), 1U);
  world.run_for(seconds(4));
  EXPECT_EQ(pulls.size(), 5U);
  EXPECT_EQ(done, 1);
  expect_rows();
}

TEST_F(PullerTest, OnlyTheMissingPartIsAskedForAgain) {
  make();
  on_pull = [&](const Message& message) -> std::optional<Message> {
    const auto& pull = std::get<Pull>(message);
    if (pulls.size() > 1) return rows_of(pull);
    Message reply = rows_of(pull);  // of the second slice there are no rows
    auto& rows = std::get<PullReply>(reply);
    rows.slices.at(1).status = SliceStatus::kStale;
    rows.rows = rows.rows.slice(0, 2 * sizeof(float));
    return reply;
  };
  pull({1, 3});
  world.run_for(seconds(1));
  ASSERT_EQ(pulls.size(), 2U);
  ASSERT_EQ(pulls[1].slices.size(), 1U);
  EXPECT_EQ(pulls[1].slices[0].shard, 3U);
  EXPECT_EQ(done, 1);
  expect_rows();
}

TEST_F(PullerTest, OfCopiesEachShardsOwnMemberIsAsked) {
  make();
  give_shards_to_both();
  ask_copies();
  world.run_for(seconds(1));
  EXPECT_EQ(done, 1);
  ASSERT_EQ(pulls.size(), 2U) << "one of the primary, one of the backup";
  for (const Pull& each : pulls) EXPECT_TRUE(each.of_copies);
  expect_rows();
}

TEST_F(PullerTest, WhatACopyLacksThePrimaryIsAskedForAtOnce) {
  make();
  give_shards_to_both();
  std::vector<NodeId> asked;
  on_pull = [&](const Message& message) -> std::optional<Message> {
    asked.push_back(pulled_from.back());
    const bool of_copy = pulled_from.back() == kSecondServer;
    return rows_of(std::get<Pull>(message), of_copy ? SliceStatus::kStale : SliceStatus::kOk);
  };
  ask_copies();
  world.run_for(milliseconds(15));
  EXPECT_EQ(done, 1) << "without a pause, which would be longer than this";
  EXPECT_EQ(std::count(asked.begin(), asked.end(), kSecondServer), 1);
  EXPECT_EQ(std::count(asked.begin(), asked.end(), kFirstServer), 2);
  expect_rows();
}

TEST_F(PullerTest, FollowsAShardToItsNewOwner) {
  make();
  on_pull = [&](const Message& message) -> std::optional<Message> {
    if (pulls.size() > 1) return rows_of(std::get<Pull>(message));
    give_shards_to(kSecondServer);
    return rows_of(std::get<Pull>(message), SliceStatus::kStale);
  };
  pull({0});
  world.run_for(seconds(5));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(pulls.back().map_version, map.version);
}

// Fewer rows than were asked for, or none of a slice: what a broken server might say.
TEST_F(PullerTest, ShortAnswersAreNotBelieved) {
  make();
  on_pull = [&](const Message& message) -> std::optional<Message> {
    Message reply = rows_of(std::get<Pull>(message));
    if (pulls.size() == 1) std::get<PullReply>(reply).rows = std::get<PullReply>(reply).rows.slice(0, 4);
    if (pulls.size() == 2) std::get<PullReply>(reply).slices.clear();
    return reply;
  };
  pull({0});
  world.run_for(seconds(1));
  EXPECT_EQ(pulls.size(), 3U);
  EXPECT_EQ(done, 1);
  expect_rows();
}

TEST_F(PullerTest, ACancelledPullIsNeverDone) {
  make();
  on_pull = [](const Message&) { return std::nullopt; };
  pull({0});
  world.run_for(seconds(1));
  puller->cancel(ticket);
  world.run_for(seconds(20));
  EXPECT_EQ(done, 0);
  EXPECT_EQ(pulls.size(), 1U);
}

TEST_F(PullerTest, NothingToPullIsDoneSoon) {
  make();
  pull({});
  EXPECT_EQ(done, 0);
  world.run_for(milliseconds(10));
  EXPECT_EQ(done, 1);
}

TEST_F(PullerTest, AMessageStaysWithinTheFrameLimit) {
  make(20);
  pull({0, 1, 2, 3});
  world.run_for(seconds(1));
  ASSERT_EQ(pulls.size(), 2U);
  for (const Pull& each : pulls) EXPECT_LE(each.keys.size(), 20U);
  EXPECT_EQ(done, 1);
  expect_rows();
}

// Five rows of 8 bytes in one shard, and messages of at most 16.
TEST_F(PullerTest, ARangeThatIsTooMuchForAMessageComesInPieces) {
  make(16);
  tables.resize(1);
  for (std::uint32_t n = 0; n < 5; ++n) tables[0].keys.push_back(key_of(1, n));
  sort_for_wire(tables[0].keys, kPlayedShards);
  ticket = ticket_of(tables);
  ASSERT_EQ(ticket.ranges.size(), 1U);
  puller->pull(tables, ticket, [this] { ++done; });
  world.run_for(seconds(1));
  EXPECT_EQ(done, 1);
  ASSERT_EQ(pulls.size(), 3U);
  for (const Pull& pull : pulls) EXPECT_LE(pull.keys.size(), 16U);
  expect_rows();
}

}  // namespace
}  // namespace capstan
