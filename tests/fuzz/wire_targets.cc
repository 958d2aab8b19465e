#include <cstring>

#include "common/assert.h"
#include "common/hash.h"
#include "common/wire/codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace capstan {
namespace {

// Frames as one text: each behind its length in four bytes.
Buffer packed(const Frames& frames) {
  std::string bytes;
  for (const Buffer& frame : frames) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes.append(frame.text());
  }
  return Buffer::copy_of(std::string_view(bytes));
}

// The last is cut when it claims to be longer than what is left.
Frames unpacked(std::span<const std::byte> bytes) {
  Frames frames;
  while (bytes.size() >= sizeof(std::uint32_t)) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof(size));
    bytes = bytes.subspan(sizeof(size));
    const auto frame = bytes.first(std::min<std::size_t>(size, bytes.size()));
    frames.push_back(Buffer::copy_of(frame));
    bytes = bytes.subspan(frame.size());
  }
  return frames;
}

Push sample_push() {
  Push push;
  push.term = 7;
  push.sequence = 3;
  push.slices = {{1, 2, 100, {{0, 2}}}, {4, 0, 101, {{0, 1}, {1, 1}}}};
  push.keys = Buffer::copy_of(std::span<const Key>(std::vector<Key>{10, 11, 12, 13}));
  push.gradients = Buffer::copy_of(std::span<const float>(std::vector<float>{1, 2, 3, 4, 5, 6}));
  return push;
}

Replicate sample_records() {
  Replicate replicate;
  ReplicaRecord record;
  record.shard = 3;
  record.sections = {{0, 2}};
  replicate.records = {record};
  record.kind = RecordKind::kEvict;
  record.sections.clear();
  record.evicted = {4, 5};
  replicate.records.push_back(record);
  replicate.keys = Buffer::copy_of(std::span<const Key>(std::vector<Key>{1, 2}));
  replicate.gradients = Buffer::copy_of(std::span<const float>(std::vector<float>{1, 2}));
  return replicate;
}

std::vector<Buffer> messages() {
  WorkerReady ready;
  ready.tables.resize(2);
  ready.tables[0].name = "items";
  ready.evaluate_parts = {{"test", 2}};
  ready.summary = "100 examples";
  WorkDone done;
  done.error = "x";
  done.result = Buffer::copy_of(std::string_view("result"));
  Pull pull;
  pull.slices = {{1, {{0, 2}}}};
  pull.keys = Buffer::copy_of(std::span<const Key>(std::vector<Key>{1, 2}));
  const std::vector<Message> samples = {Hello{},
                                        MapUpdate{1, 2, {{1, "a", "b"}}, {{0, 1, {1}}}},
                                        ready,
                                        WorkProgress{1, {WorkCursor{}, WorkCursor{}}},
                                        WorkProgressReply{{0, 1}, 5, {{1, 48}}},
                                        done,
                                        pull,
                                        sample_push(),
                                        sample_records(),
                                        ShardChunk{},
                                        HandOver{{{3, 4}}},
                                        HandedOver{1, {{3, 4}, {5, 6}}},
                                        ChangeServers{"ps-3", 1, true},
                                        ChangeServersReply{"no", "{}"},
                                        TraceReply{"", {{3, "ps-0", 0, 9, 0, {{}, {}}}}}};
  std::vector<Buffer> seeds;
  for (const Message& sample : samples) seeds.push_back(packed(encode(sample, 77)));
  return seeds;
}

// What is accepted is a message like any other: it can be sent on, and means the same there.
void run_message(std::span<const std::byte> bytes) {
  const auto decoded = decode(unpacked(bytes));
  if (!decoded.ok()) return;
  const auto again = decode(encode(decoded->message, decoded->request_id));
  CAPSTAN_ASSERT(again.ok() && again->request_id == decoded->request_id &&
                     again->message.index() == decoded->message.index(),
                 "an accepted message does not survive being sent on");
}

}  // namespace

std::vector<FuzzTarget> wire_targets() {
  return {{"message", messages, run_message}};
}

}  // namespace capstan
