#include "common/wire/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstdint>
#include <cstring>
#include <span>

#include "common/hash.h"
#include "common/wire/convert.h"
#include "common/wire/envelope_union.h"

namespace capstan {
namespace {

constexpr std::size_t kHeaderBytesMax = 16U << 20;
constexpr std::size_t kFramesMax = 4096;

Error refused(const char* reason) {
  return Error{ErrorCode::kCorrupt, reason};
}

// ---- bulk frames: which buffers of a message travel beside its header, in order

template <typename T>
std::vector<Buffer> bulk_of(const T&) {
  return {};
}
std::vector<Buffer> bulk_of(const Pull& m) {
  return {m.keys};
}
std::vector<Buffer> bulk_of(const PullReply& m) {
  return {m.rows};
}
std::vector<Buffer> bulk_of(const Push& m) {
  return {m.keys, m.gradients};
}
std::vector<Buffer> bulk_of(const GetRows& m) {
  return {m.keys};
}
std::vector<Buffer> bulk_of(const GetRowsReply& m) {
  return {m.rows};
}
std::vector<Buffer> bulk_of(const WorkGrant& m) {
  return m.inputs;
}
std::vector<Buffer> bulk_of(const WorkDone& m) {
  return {m.result};
}
std::vector<Buffer> bulk_of(const Replicate& m) {
  return {m.keys, m.gradients, m.blob};
}
std::vector<Buffer> bulk_of(const ShardChunk& m) {
  return {m.bytes};
}

// A frame as values of `size` bytes each: shared when aligned, else copied once.
Result<Buffer> values_of(const Buffer& frame, std::size_t size) {
  if (frame.size() % size != 0) return refused("frame size");
  if (reinterpret_cast<std::uintptr_t>(frame.data()) % size == 0) return frame;
  return Buffer::copy_of(frame.bytes());
}

template <typename Slices>
std::uint64_t count_keys(const Slices& slices) {
  std::uint64_t total = 0;
  for (const auto& slice : slices) {
    for (const auto& section : slice.sections) total += section.count;
  }
  return total;
}

using Bulk = std::span<const Buffer>;

template <typename T>
Status take_bulk(T&, Bulk bulk) {
  return bulk.empty() ? ok_status() : Status(refused("frame count"));
}
Status take_bulk(Pull& m, Bulk bulk) {
  if (bulk.size() != 1) return refused("frame count");
  CAPSTAN_ASSIGN(m.keys, values_of(bulk[0], sizeof(Key)));
  return count_keys(m.slices) == m.keys.size() / sizeof(Key) ? ok_status() : Status(refused("key count"));
}
Status take_bulk(PullReply& m, Bulk bulk) {
  if (bulk.size() != 1) return refused("frame count");
  CAPSTAN_ASSIGN(m.rows, values_of(bulk[0], sizeof(float)));
  return ok_status();
}
Status take_bulk(Push& m, Bulk bulk) {
  if (bulk.size() != 2) return refused("frame count");
  CAPSTAN_ASSIGN(m.keys, values_of(bulk[0], sizeof(Key)));
  CAPSTAN_ASSIGN(m.gradients, values_of(bulk[1], sizeof(float)));
  return count_keys(m.slices) == m.keys.size() / sizeof(Key) ? ok_status() : Status(refused("key count"));
}
Status take_bulk(GetRows& m, Bulk bulk) {
  if (bulk.size() != 1) return refused("frame count");
  CAPSTAN_ASSIGN(m.keys, values_of(bulk[0], sizeof(Key)));
  return ok_status();
}
Status take_bulk(GetRowsReply& m, Bulk bulk) {
  if (bulk.size() != 1) return refused("frame count");
  m.rows = bulk[0];
  return ok_status();
}
Status take_bulk(WorkGrant& m, Bulk bulk) {
  m.inputs.assign(bulk.begin(), bulk.end());
  return ok_status();
}
Status take_bulk(WorkDone& m, Bulk bulk) {
  if (bulk.size() != 1) return refused("frame count");
  m.result = bulk[0];
  return ok_status();
}

Status take_bulk(Replicate& m, Bulk bulk) {
  if (bulk.size() != 3) return refused("frame count");
  CAPSTAN_ASSIGN(m.keys, values_of(bulk[0], sizeof(Key)));
  CAPSTAN_ASSIGN(m.gradients, values_of(bulk[1], sizeof(float)));
  m.blob = bulk[2];
  std::uint64_t left = m.blob.size();
  for (const auto& record : m.records) {
    if (record.blob_bytes > left) return refused("blob size");
    left -= record.blob_bytes;
  }
  if (left > 0) return refused("blob size");
  return count_keys(m.records) == m.keys.size() / sizeof(Key) ? ok_status() : Status(refused("key count"));
}
Status take_bulk(ShardChunk& m, Bulk bulk) {
  if (bulk.size() != 1) return refused("frame count");
  m.bytes = bulk[0];
  return ok_status();
}

Result<Decoded> decode_header(const Buffer& header, const Frames& frames) {
  const Buffer aligned = reinterpret_cast<std::uintptr_t>(header.data()) % sizeof(capnp::word) == 0
                             ? header
                             : Buffer::copy_of(header.bytes());
  const kj::ArrayPtr<const capnp::word> words(reinterpret_cast<const capnp::word*>(aligned.data()),
                                              aligned.size() / sizeof(capnp::word));
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 2 * words.size() + 64;
  options.nestingLimit = 16;
  capnp::FlatArrayMessageReader reader(words, options);
  const auto envelope = reader.getRoot<wire::Envelope>();
  const auto sizes = envelope.getFrameSizes();
  if (sizes.size() != frames.size() - 1) return refused("frame count");
  for (unsigned i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != frames[i + 1].size()) return refused("frame size");
  }
  CAPSTAN_ASSIGN(Message message, read_union(envelope));
  const Bulk bulk(frames.data() + 1, frames.size() - 1);
  CAPSTAN_TRY(std::visit([&](auto& body) { return take_bulk(body, bulk); }, message));
  return Decoded{std::move(message), envelope.getRequestId()};
}

}  // namespace

Frames encode(const Message& message, std::uint64_t request_id) {
  capnp::word scratch[512];
  std::memset(scratch, 0, sizeof(scratch));
  capnp::MallocMessageBuilder builder(kj::arrayPtr(scratch, 512));
  auto envelope = builder.initRoot<wire::Envelope>();
  envelope.setRequestId(request_id);
  Frames frames(1);
  write_union(envelope, message);
  std::visit(
      [&](const auto& body) {
        for (auto& buffer : bulk_of(body)) frames.push_back(std::move(buffer));
      },
      message);
  auto sizes = envelope.initFrameSizes(static_cast<unsigned>(frames.size() - 1));
  for (unsigned i = 0; i < sizes.size(); ++i) sizes.set(i, frames[i + 1].size());
  const auto flat = capnp::messageToFlatArray(builder);
  const auto bytes = flat.asBytes();
  frames[0] = Buffer::copy_of(std::as_bytes(std::span(bytes.begin(), bytes.size())));
  return frames;
}

Result<Decoded> decode(const Frames& frames) {
  if (frames.empty() || frames[0].size() < sizeof(capnp::word)) return refused("no header");
  if (frames[0].size() > kHeaderBytesMax) return refused("header too large");
  if (frames.size() > kFramesMax) return refused("frame count");
  try {
    return decode_header(frames[0], frames);
  } catch (const wire::OutOfRange&) {
    return refused("value out of range");
  } catch (const kj::Exception&) {
    return refused("malformed header");
  }
}

}  // namespace capstan
