#include "worker/train/push_stream.h"

#include <gtest/gtest.h>

#include "tests/worker/train/played_cluster.h"

namespace capstan {
namespace {

class PushStreamTest : public PlayedCluster {
 protected:
  void make(bool every_shard = false, std::uint64_t frame_bytes_max = 1 << 20) {
    stream = std::make_unique<PushStream>(
        node.loop(), *rpc, *link, *peers, specs, counts,
        PushStream::Id{2, 1, 9, kPlayedShards, every_shard, frame_bytes_max},
        PushStream::Hooks{.on_acknowledged =
                              [this](std::uint64_t sequence, std::uint64_t slices) {
                                acknowledged.push_back(sequence);
                                slices_acknowledged += slices;
                              },
                          .on_fenced = [this] { ++fenced; }});
    on_change = [this] {
      if (stream) stream->resume();
    };
  }
  void push(std::uint64_t sequence, const std::vector<std::uint32_t>& shards) {
    auto tables = tables_of(shards, static_cast<float>(sequence));
    const PullTicket ticket = ticket_of(tables);
    stream->push(sequence, sequence, std::move(tables), ticket);
  }
  static std::string bytes_of(const Push& push) {
    return std::string(push.keys.text()) + std::string(push.gradients.text());
  }

  PushCounts counts;
  std::vector<std::uint64_t> acknowledged;
  std::uint64_t slices_acknowledged = 0;
  int fenced = 0;
  std::unique_ptr<PushStream> stream;
};

TEST_F(PushStreamTest, SlicesNameTheirStreamAndTheBatchBeforeThem) {
  make();
  push(4, {0, 2});
  push(5, {2, 3});
  world.run_for(seconds(1));
  ASSERT_EQ(pushes.size(), 2U);
  EXPECT_EQ(pushes[0].pass, 2U);
  EXPECT_EQ(pushes[0].partition, 1U);
  EXPECT_EQ(pushes[0].term, 9U);
  EXPECT_EQ(pushes[0].sequence, 4U);
  EXPECT_EQ(pushes[0].slices.at(0).previous, 0U);
  EXPECT_EQ(pushes[0].slices.at(0).pulled_version, 3U);
  ASSERT_EQ(pushes[1].slices.size(), 2U);
  EXPECT_EQ(pushes[1].slices[0].shard, 2U);
  EXPECT_EQ(pushes[1].slices[0].previous, 4U) << "batch 4 touched shard 2";
  EXPECT_EQ(pushes[1].slices[1].previous, 0U) << "none touched shard 3";
  EXPECT_EQ(acknowledged, (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(slices_acknowledged, 4U);
  EXPECT_EQ(counts.sealed, 4U);
  EXPECT_EQ(counts.bytes, 4 * (sizeof(Key) + 2 * sizeof(float)));
}

// Batches of sixteen a segment: 15 and 16 are in different streams.
TEST_F(PushStreamTest, EachSegmentIsAStreamOfItsOwn) {
  make();
  PushStream::Id id{2, 1, 9, kPlayedShards};
  id.num_partitions = 5;
  id.segments = Segments(40);
  stream = std::make_unique<PushStream>(
      node.loop(), *rpc, *link, *peers, specs, counts, id,
      PushStream::Hooks{.on_acknowledged = [](std::uint64_t, std::uint64_t) {}, .on_fenced = [] {}});
  for (const std::uint64_t batch : {14, 15, 16, 18})
    push(batch + 1, batch == 16 ? std::vector{0U} : std::vector{0U, 1U});
  world.run_for(seconds(1));
  ASSERT_EQ(pushes.size(), 4U);
  EXPECT_EQ(pushes[0].partition, 1U);
  EXPECT_EQ(pushes[1].partition, 1U);
  EXPECT_EQ(pushes[1].slices[0].previous, 15U);
  EXPECT_EQ(pushes[2].partition, 6U);
  EXPECT_EQ(pushes[2].sequence, 17U) << "batches keep their numbers";
  EXPECT_EQ(pushes[2].slices[0].previous, 0U) << "the first of its stream to touch the shard";
  EXPECT_EQ(pushes[3].partition, 6U);
  EXPECT_EQ(pushes[3].slices[0].previous, 17U);
  EXPECT_EQ(pushes[3].slices[1].previous, 0U) << "batch 15 touched it in another stream";
}

TEST_F(PushStreamTest, TheWindowNarrowsWhenAServerHasNoRoomAndWidensAgain) {
  make();
  EXPECT_EQ(stream->window(), 4U);
  int busy = 2;
  on_push = [&](const Message& message) -> std::optional<Message> {
    return all_slices(std::get<Push>(message), busy-- > 0 ? SliceStatus::kBusy : SliceStatus::kOk);
  };
  push(1, {0});
  EXPECT_FALSE(stream->full());
  world.run_for(seconds(1));
  EXPECT_EQ(acknowledged, std::vector<std::uint64_t>{1});
  EXPECT_EQ(stream->window(), 2U) << "halved twice, and one window of one batch acknowledged";
  on_push = [](const Message&) -> std::optional<Message> { return std::nullopt; };
  push(2, {0});
  EXPECT_FALSE(stream->full());
  push(3, {0});
  EXPECT_TRUE(stream->full());
  on_push = nullptr;
  for (std::uint64_t sequence = 4; sequence < 20; ++sequence) push(sequence, {0});
  world.run_for(seconds(20));
  EXPECT_EQ(acknowledged.size(), 19U);
  EXPECT_EQ(stream->window(), 4U) << "as before, and no wider";
}

TEST_F(PushStreamTest, AServerThatDoesNotAnswerIsNamedAsLongAsItHasShards) {
  make();
  servers_live = false;
  push(1, {0});
  world.run_for(seconds(4));
  EXPECT_EQ(peers->silent(), "");
  world.run_for(seconds(4));
  EXPECT_EQ(peers->silent(), "first");
  give_shards_to(kSecondServer);
  world.run_for(seconds(1));
  EXPECT_EQ(peers->silent(), "");
  give_shards_to(kFirstServer);
  world.run_for(seconds(1));
  EXPECT_EQ(peers->silent(), "first");
  servers_live = true;
  world.run_for(seconds(10));
  EXPECT_EQ(acknowledged.size(), 1U);
  EXPECT_EQ(peers->silent(), "");
}

// It may wait for another server itself.
TEST_F(PushStreamTest, AServerThatIsSlowIsNotTakenForSilent) {
  make();
  on_push = [](const Message&) { return std::nullopt; };
  push(1, {0});
  world.run_for(seconds(20));
  EXPECT_EQ(peers->silent(), "");
  on_push = nullptr;
  world.run_for(seconds(10));
  EXPECT_EQ(acknowledged.size(), 1U);
}

TEST_F(PushStreamTest, WhatIsResentHasTheSameBytesAndComesInOrder) {
  make();
  int lost = 2;
  on_push = [&](const Message& message) {
    return lost-- > 0 ? std::nullopt : std::optional(all_slices(std::get<Push>(message), SliceStatus::kOk));
  };
  push(1, {0, 1});
  push(2, {1});
  world.run_for(seconds(3));
  EXPECT_TRUE(acknowledged.empty());
  world.run_for(seconds(10));
  ASSERT_EQ(pushes.size(), 4U);
  EXPECT_EQ(pushes[2].sequence, 1U) << "from the first that is not acknowledged";
  EXPECT_EQ(pushes[3].sequence, 2U);
  for (std::size_t n = 0; n < 2; ++n) {
    EXPECT_EQ(bytes_of(pushes[n + 2]), bytes_of(pushes[n]));
    for (std::size_t i = 0; i < pushes[n].slices.size(); ++i)
      EXPECT_EQ(pushes[n + 2].slices[i].previous, pushes[n].slices[i].previous);
  }
  EXPECT_EQ(acknowledged, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(counts.sealed, 3U) << "a repetition is no new slice";
}

TEST_F(PushStreamTest, EverySliceIsAnsweredForItself) {
  make();
  bool busy = true;
  on_push = [&](const Message& message) {
    Message reply = all_slices(std::get<Push>(message), SliceStatus::kOk);
    if (std::exchange(busy, false)) std::get<PushReply>(reply).slices.at(1).status = SliceStatus::kBusy;
    return std::optional(reply);
  };
  push(1, {0, 1, 2});
  world.run_for(seconds(1));
  ASSERT_EQ(pushes.size(), 2U);
  ASSERT_EQ(pushes[1].slices.size(), 1U) << "only what was not taken";
  EXPECT_EQ(pushes[1].slices[0].shard, 1U);
  EXPECT_EQ(pushes[1].sequence, 1U) << "busy does not consume the number";
  EXPECT_EQ(acknowledged, std::vector<std::uint64_t>{1});
}

TEST_F(PushStreamTest, ARefusedSliceConsumesItsNumber) {
  make();
  on_push = [&](const Message& message) {
    const auto& push = std::get<Push>(message);
    return std::optional(all_slices(push, push.sequence == 1 ? SliceStatus::kRefused : SliceStatus::kOk));
  };
  push(1, {0});
  push(2, {0});
  world.run_for(seconds(1));
  EXPECT_EQ(pushes.size(), 2U) << "it is not sent again";
  EXPECT_EQ(pushes[1].slices[0].previous, 1U);
  EXPECT_EQ(acknowledged, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(PushStreamTest, AStaleSliceGoesToTheNewOwner) {
  make();
  on_push = [&](const Message& message) {
    const bool old = pushed_to.back() == kFirstServer;
    if (old) give_shards_to(kSecondServer);
    return std::optional(all_slices(std::get<Push>(message), old ? SliceStatus::kStale : SliceStatus::kOk));
  };
  push(1, {0, 3});
  world.run_for(seconds(5));
  EXPECT_EQ(pushed_to.front(), kFirstServer);
  EXPECT_EQ(pushed_to.back(), kSecondServer);
  EXPECT_EQ(pushes.back().map_version, map.version);
  EXPECT_EQ(bytes_of(pushes.back()), bytes_of(pushes.front()));
  EXPECT_EQ(acknowledged, std::vector<std::uint64_t>{1});
}

TEST_F(PushStreamTest, AFencedStreamSendsNothingMore) {
  make();
  on_push = [&](const Message& message) {
    return std::optional(all_slices(std::get<Push>(message), SliceStatus::kFenced));
  };
  push(1, {0});
  world.run_for(seconds(1));
  EXPECT_EQ(fenced, 1);
  push(2, {0});
  world.run_for(seconds(20));
  EXPECT_EQ(pushes.size(), 1U);
  EXPECT_TRUE(acknowledged.empty());
}

TEST_F(PushStreamTest, WhatIsGivenUpIsCounted) {
  make();
  on_push = [&](const Message& message) {
    Message reply = all_slices(std::get<Push>(message), SliceStatus::kOk);
    std::get<PushReply>(reply).slices.at(0).status = SliceStatus::kBusy;
    return std::optional(reply);
  };
  push(1, {0, 1, 2});
  push(2, {3});
  world.run_for(milliseconds(100));
  stream.reset();
  world.run_for(seconds(20));
  EXPECT_EQ(counts.sealed, 4U);
  EXPECT_EQ(counts.abandoned, 2U) << "shard 0 of batch 1, and batch 2";
  EXPECT_TRUE(acknowledged.empty());
}

TEST_F(PushStreamTest, InSteppedModesEveryShardHearsOfEveryBatch) {
  make(true);
  push(1, {2});
  push(2, {});
  world.run_for(seconds(1));
  ASSERT_EQ(pushes.size(), 2U);
  for (const Push& push : pushes) EXPECT_EQ(push.slices.size(), kPlayedShards);
  EXPECT_EQ(pushes[0].slices[2].sections.size(), 1U);
  EXPECT_TRUE(pushes[0].slices[1].sections.empty());
  EXPECT_EQ(pushes[1].slices[3].previous, 1U);
  EXPECT_EQ(slices_acknowledged, 2 * kPlayedShards);
}

TEST_F(PushStreamTest, ABatchThatTouchesNothingIsAcknowledgedByItself) {
  make();
  push(1, {});
  EXPECT_TRUE(acknowledged.empty()) << "never from within push()";
  world.run_for(milliseconds(100));
  EXPECT_EQ(acknowledged, std::vector<std::uint64_t>{1});
  EXPECT_TRUE(pushes.empty());
}

TEST_F(PushStreamTest, AMessageStaysWithinTheFrameLimit) {
  make(false, 20);  // two keys are 16 bytes, three are 24
  push(1, {0, 1, 2, 3});
  world.run_for(seconds(1));
  ASSERT_EQ(pushes.size(), 2U);
  for (const Push& push : pushes) EXPECT_LE(std::max(push.keys.size(), push.gradients.size()), 20U);
  EXPECT_EQ(acknowledged, std::vector<std::uint64_t>{1});
}

// Four rows of shard 1 were pulled in two pieces.
TEST_F(PushStreamTest, ASliceIsWholeThoughItsRowsCameInPieces) {
  make();
  StepTable table;
  for (std::uint32_t n = 0; n < 4; ++n) table.keys.push_back(key_of(1, n));
  sort_for_wire(table.keys, kPlayedShards);
  table.gradients.assign(8, 1.0F);
  std::vector<StepTable> tables = {table};
  PullTicket ticket = ticket_of(tables);
  ticket.ranges = cut_to_frames(ticket.ranges, tables, specs, 16);
  ASSERT_EQ(ticket.ranges.size(), 2U);
  ticket.versions = {3, 3};
  stream->push(1, 1, tables, ticket);
  world.run_for(seconds(1));
  ASSERT_EQ(pushes.size(), 1U);
  ASSERT_EQ(pushes[0].slices.size(), 1U);
  ASSERT_EQ(pushes[0].slices[0].sections.size(), 1U);
  EXPECT_EQ(pushes[0].slices[0].sections[0].count, 4U);
  EXPECT_EQ(pushes[0].keys.text(), Buffer::copy_of(std::span<const Key>(table.keys)).text());
  EXPECT_EQ(acknowledged, std::vector<std::uint64_t>{1});
}

TEST_F(PushStreamTest, ASliceThatNoMessageHoldsIsRefusedInWords) {
  make(false, 20);
  StepTable table;
  for (std::uint32_t n = 0; n < 3; ++n) table.keys.push_back(key_of(1, n));
  sort_for_wire(table.keys, kPlayedShards);
  const PullTicket ticket = ticket_of({table});
  EXPECT_EQ(stream->too_large({table}, ticket), "") << "it has no gradients";
  table.gradients.assign(6, 1.0F);
  const std::string why = stream->too_large({table}, ticket);
  EXPECT_EQ(why,
            "its gradients for shard 1 take 24 bytes, more than a message may hold (cluster.max_frame_bytes: "
            "20). Lower train.batch_size, or raise cluster.max_frame_bytes or, in a new job, "
            "cluster.num_shards");
}

}  // namespace
}  // namespace capstan
