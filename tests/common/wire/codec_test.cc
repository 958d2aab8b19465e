#include "common/wire/codec.h"

#include <gtest/gtest.h>

#include "common/hash.h"
#include "common/rng.h"

namespace capstan {
namespace {

Push sample_push() {
  Push push;
  push.map_version = 7;
  push.pass = 1;
  push.partition = 2;
  push.term = (1ULL << 32) | 3;
  push.sequence = 9;
  push.slices = {{4, 8, 100, {{0, 2}, {1, 1}}}, {6, 0, 101, {{0, 1}}}};
  push.keys = Buffer::adopt(std::vector<Key>{11, 12, 13, 14});
  push.gradients = Buffer::adopt(std::vector<float>{1, 2, 3, 4, 5});
  return push;
}

TEST(Codec, PushComesBackEqualAndSharesItsFrames) {
  const Push push = sample_push();
  const Frames frames = encode(push, 42);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[1].data(), push.keys.data());

  auto decoded = decode(frames);
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->request_id, 42U);
  const auto& back = std::get<Push>(decoded->message);
  EXPECT_EQ(back.term, push.term);
  EXPECT_EQ(back.sequence, 9U);
  ASSERT_EQ(back.slices.size(), 2U);
  EXPECT_EQ(back.slices[0].previous, 8U);
  EXPECT_EQ(back.slices[0].sections[1].table, 1U);
  EXPECT_EQ(back.slices[1].pulled_version, 101U);
  EXPECT_EQ(back.keys.data(), push.keys.data());
  EXPECT_EQ(back.gradients.as<float>()[4], 5.0F);
}

TEST(Codec, CopiesAFrameThatIsNotAligned) {
  Push push = sample_push();
  Frames frames = encode(push);
  Buffer shifted = Buffer::allocate(frames[1].size() + 1);
  std::memcpy(shifted.mutable_data() + 1, frames[1].data(), frames[1].size());
  frames[1] = shifted.slice(1, frames[1].size());
  auto decoded = decode(frames);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<Push>(decoded->message).keys.as<Key>()[3], 14U);
}

TEST(Codec, RefusesFramesThatDoNotFitTheirHeader) {
  const Frames good = encode(sample_push());
  Frames missing(good.begin(), good.end() - 1);
  EXPECT_EQ(decode(missing).error().message, "frame count");
  Frames shorter = good;
  shorter[1] = shorter[1].slice(0, 8);
  EXPECT_EQ(decode(shorter).error().message, "frame size");
  Push lying = sample_push();
  lying.slices[0].sections[0].count = 1U << 31;
  EXPECT_EQ(decode(encode(lying)).error().message, "key count");
  EXPECT_EQ(decode({}).error().message, "no header");
}

TEST(Codec, RefusesValuesOutsideTheirEnumeration) {
  Hello hello;
  hello.role = static_cast<Role>(200);
  EXPECT_EQ(decode(encode(hello)).error().message, "value out of range");
}

TEST(Codec, MapTablesAndTextSurvive) {
  MapUpdate map{(3ULL << 32) | 5, 256, {{1, "ps-0", "tcp://127.0.0.1:4000"}}, {{17, 9, {1, 2}}}};
  const auto map_back = decode(encode(map));
  ASSERT_TRUE(map_back.ok());
  EXPECT_EQ(std::get<MapUpdate>(map_back->message).nodes[0].endpoint, "tcp://127.0.0.1:4000");
  EXPECT_EQ(std::get<MapUpdate>(map_back->message).shards[0].chain, (std::vector<NodeId>{1, 2}));

  TableSpec spec;
  spec.name = "item";
  spec.dim = 64;
  spec.optimizer.kind = OptimizerKind::kFtrl;
  spec.optimizer.schedule.kind = ScheduleKind::kCosine;
  spec.init.fan_in = 7;
  const auto tables_back = decode(encode(DeclareTables{{spec}, 4, false, 5, 64}));
  ASSERT_TRUE(tables_back.ok());
  EXPECT_EQ(std::get<DeclareTables>(tables_back->message).fence, 5U);
  EXPECT_EQ(std::get<DeclareTables>(tables_back->message).sketch_width, 64U);
  EXPECT_EQ(std::get<DeclareTables>(tables_back->message).tables[0], spec);
}

TEST(Codec, HandoversAndChangesOfServersSurvive) {
  const auto handed = decode(encode(HandedOver{7, {{3, (2ULL << 32) | 1}, {5, 6}}}));
  ASSERT_TRUE(handed.ok());
  const auto& shards = std::get<HandedOver>(handed->message).shards;
  ASSERT_EQ(shards.size(), 2U);
  EXPECT_EQ(shards[0].epoch, (2ULL << 32) | 1);
  EXPECT_EQ(std::get<HandedOver>(handed->message).node_id, 7U);
  const auto wish = decode(encode(HandOver{{{9, 4}}}));
  ASSERT_TRUE(wish.ok());
  EXPECT_EQ(std::get<HandOver>(wish->message).shards[0].shard, 9U);
  const auto change = decode(encode(ChangeServers{"ps-3", 2, true}));
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(std::get<ChangeServers>(change->message).drain, "ps-3");
  EXPECT_EQ(std::get<ChangeServers>(change->message).add, 2U);
  EXPECT_TRUE(std::get<ChangeServers>(change->message).dry_run);
  const auto reply = decode(encode(ChangeServersReply{"no such server", "{}"}));
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(std::get<ChangeServersReply>(reply->message).error, "no such server");
}

TEST(Codec, Traces) {
  const auto request = decode(encode(TraceRequest{5000, 100}));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(std::get<TraceRequest>(request->message).milliseconds, 5000U);
  EXPECT_EQ(std::get<TraceRequest>(request->message).spans_max, 100U);
  const auto reply = decode(encode(TraceReply{
      "ps-1 did not answer", {{3, "ps-0", -5, 7, 2, {{SpanKind::kCommitPush, {1, 2, 3}, 4, 5, -6, 7}}}}}));
  ASSERT_TRUE(reply.ok());
  const auto& trace = std::get<TraceReply>(reply->message);
  EXPECT_EQ(trace.error, "ps-1 did not answer");
  ASSERT_EQ(trace.nodes.size(), 1U);
  const NodeTrace& node = trace.nodes[0];
  EXPECT_EQ(node.node_id, 3U);
  EXPECT_EQ(node.name, "ps-0");
  EXPECT_EQ(node.begun, -5);
  EXPECT_EQ(node.ended, 7);
  EXPECT_EQ(node.dropped, 2U);
  ASSERT_EQ(node.spans.size(), 1U);
  EXPECT_EQ(node.spans[0].kind, SpanKind::kCommitPush);
  EXPECT_EQ(node.spans[0].step, (StepId{1, 2, 3}));
  EXPECT_EQ(node.spans[0].peer, 4U);
  EXPECT_EQ(node.spans[0].count, 5U);
  EXPECT_EQ(node.spans[0].begin, -6);
  EXPECT_EQ(node.spans[0].length, 7);
}

TEST(Codec, EndsOfWorkItemsSurvive) {
  WorkGrant grant;
  grant.work = {0, 1, 6, ""};
  grant.first_batch = 60;
  grant.end_batch = 160;
  const auto granted = decode(encode(grant));
  ASSERT_TRUE(granted.ok());
  EXPECT_EQ(std::get<WorkGrant>(granted->message).end_batch, 160U);
  WorkCursor cursor;
  cursor.batches = 160;
  cursor.end = 60;
  const auto progress = decode(encode(WorkProgress{7, {cursor}}));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(std::get<WorkProgress>(progress->message).cursors.at(0).end, 60U);
  EXPECT_EQ(std::get<WorkProgress>(progress->message).cursors.at(0).batches, 160U);
  const auto reply = decode(encode(WorkProgressReply{{0}, 5, {{1, 60}, {2, 40}}}));
  ASSERT_TRUE(reply.ok());
  const auto& wishes = std::get<WorkProgressReply>(reply->message).wishes;
  ASSERT_EQ(wishes.size(), 2U);
  EXPECT_EQ(wishes[0].cursor, 1U);
  EXPECT_EQ(wishes[0].end, 60U);
  EXPECT_EQ(wishes[1].end, 40U);
}

// Whatever is flipped, cut or invented, decode() answers; what it accepts can be encoded again.
TEST(Codec, AnswersAnyBytes) {
  Rng rng(1);
  WorkDone done;
  done.node_id = 1;
  done.error = "x";
  done.result = Buffer::copy_of("result");
  const std::vector<Message> seeds = {sample_push(),
                                      Hello{},
                                      MapUpdate{1, 2, {{1, "a", "b"}}, {{0, 1, {1}}}},
                                      done,
                                      HandOver{{{3, 4}}},
                                      HandedOver{1, {{3, 4}, {5, 6}}},
                                      ChangeServers{"ps-3", 1, true},
                                      ChangeServersReply{"no", "{}"},
                                      TraceReply{"", {{3, "ps-0", 0, 9, 0, {{}, {}}}}}};
  for (int round = 0; round < 20000; ++round) {
    Frames frames = encode(seeds[rng.below(seeds.size())], rng.next());
    Buffer header = Buffer::copy_of(frames[0].bytes());
    const int flips = static_cast<int>(rng.below(8));
    for (int i = 0; i < flips; ++i) {
      header.mutable_data()[rng.below(header.size())] ^= static_cast<std::byte>(1U << rng.below(8));
    }
    frames[0] = rng.chance(0.2) ? header.slice(0, rng.below(header.size() + 1)) : header;
    const auto decoded = decode(frames);
    if (decoded.ok()) {
      EXPECT_FALSE(encode(decoded->message).empty());
    }
  }
}

}  // namespace
}  // namespace capstan
