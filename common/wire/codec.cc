#include "common/wire/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstdint>
#include <cstring>
#include <span>

#include "common/hash.h"
#include "common/wire/convert.h"

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

// ---- the envelope's union

void write_body(wire::Envelope::Builder to, const Hello& m) {
  wire::write(to.initHello(), m);
}
void write_body(wire::Envelope::Builder to, const Welcome& m) {
  wire::write(to.initWelcome(), m);
}
void write_body(wire::Envelope::Builder to, const Refusal& m) {
  wire::write(to.initRefusal(), m);
}
void write_body(wire::Envelope::Builder to, const Heartbeat& m) {
  wire::write(to.initHeartbeat(), m);
}
void write_body(wire::Envelope::Builder to, const HeartbeatReply& m) {
  wire::write(to.initHeartbeatReply(), m);
}
void write_body(wire::Envelope::Builder to, const MapRequest& m) {
  wire::write(to.initMapRequest(), m);
}
void write_body(wire::Envelope::Builder to, const MapUpdate& m) {
  wire::write(to.initMapUpdate(), m);
}
void write_body(wire::Envelope::Builder to, const DeclareTables& m) {
  wire::write(to.initDeclareTables(), m);
}
void write_body(wire::Envelope::Builder to, const TablesReady& m) {
  wire::write(to.initTablesReady(), m);
}
void write_body(wire::Envelope::Builder to, const Pull& m) {
  wire::write(to.initPull(), m);
}
void write_body(wire::Envelope::Builder to, const PullReply& m) {
  wire::write(to.initPullReply(), m);
}
void write_body(wire::Envelope::Builder to, const Push& m) {
  wire::write(to.initPush(), m);
}
void write_body(wire::Envelope::Builder to, const PushReply& m) {
  wire::write(to.initPushReply(), m);
}
void write_body(wire::Envelope::Builder to, const GetRows& m) {
  wire::write(to.initGetRows(), m);
}
void write_body(wire::Envelope::Builder to, const GetRowsReply& m) {
  wire::write(to.initGetRowsReply(), m);
}
void write_body(wire::Envelope::Builder to, const WorkerReady& m) {
  wire::write(to.initWorkerReady(), m);
}
void write_body(wire::Envelope::Builder to, const WorkRequest& m) {
  wire::write(to.initWorkRequest(), m);
}
void write_body(wire::Envelope::Builder to, const WorkGrant& m) {
  wire::write(to.initWorkGrant(), m);
}
void write_body(wire::Envelope::Builder to, const NoWork& m) {
  wire::write(to.initNoWork(), m);
}
void write_body(wire::Envelope::Builder to, const WorkProgress& m) {
  wire::write(to.initWorkProgress(), m);
}
void write_body(wire::Envelope::Builder to, const WorkProgressReply& m) {
  wire::write(to.initWorkProgressReply(), m);
}
void write_body(wire::Envelope::Builder to, const WorkDone& m) {
  wire::write(to.initWorkDone(), m);
}
void write_body(wire::Envelope::Builder to, const WorkDoneReply& m) {
  wire::write(to.initWorkDoneReply(), m);
}
void write_body(wire::Envelope::Builder to, const Snapshot& m) {
  wire::write(to.initSnapshot(), m);
}
void write_body(wire::Envelope::Builder to, const SnapshotReply& m) {
  wire::write(to.initSnapshotReply(), m);
}
void write_body(wire::Envelope::Builder to, const Restore& m) {
  wire::write(to.initRestore(), m);
}
void write_body(wire::Envelope::Builder to, const RestoreReply& m) {
  wire::write(to.initRestoreReply(), m);
}
void write_body(wire::Envelope::Builder to, const StatusRequest& m) {
  wire::write(to.initStatusRequest(), m);
}
void write_body(wire::Envelope::Builder to, const StatusReply& m) {
  wire::write(to.initStatusReply(), m);
}
void write_body(wire::Envelope::Builder to, const StopJob& m) {
  wire::write(to.initStopJob(), m);
}
void write_body(wire::Envelope::Builder to, const JobEnded& m) {
  wire::write(to.initJobEnded(), m);
}
void write_body(wire::Envelope::Builder to, const TablesRequest& m) {
  wire::write(to.initTablesRequest(), m);
}
void write_body(wire::Envelope::Builder to, const TablesReply& m) {
  wire::write(to.initTablesReply(), m);
}
void write_body(wire::Envelope::Builder to, const Replicate& m) {
  wire::write(to.initReplicate(), m);
}
void write_body(wire::Envelope::Builder to, const ReplicateReply& m) {
  wire::write(to.initReplicateReply(), m);
}
void write_body(wire::Envelope::Builder to, const ShardChunk& m) {
  wire::write(to.initShardChunk(), m);
}
void write_body(wire::Envelope::Builder to, const ShardChunkReply& m) {
  wire::write(to.initShardChunkReply(), m);
}
void write_body(wire::Envelope::Builder to, const LearnersReady& m) {
  wire::write(to.initLearnersReady(), m);
}
void write_body(wire::Envelope::Builder to, const PromiseRequest& m) {
  wire::write(to.initPromiseRequest(), m);
}
void write_body(wire::Envelope::Builder to, const Promise& m) {
  wire::write(to.initPromise(), m);
}

template <typename T, typename Reader>
Message read_body(Reader from) {
  T message;
  wire::read(from, message);
  return message;
}

Result<Message> read_any(wire::Envelope::Reader from) {
  using wire::Envelope;
  switch (from.which()) {
    case Envelope::HELLO:
      return read_body<Hello>(from.getHello());
    case Envelope::WELCOME:
      return read_body<Welcome>(from.getWelcome());
    case Envelope::REFUSAL:
      return read_body<Refusal>(from.getRefusal());
    case Envelope::HEARTBEAT:
      return read_body<Heartbeat>(from.getHeartbeat());
    case Envelope::HEARTBEAT_REPLY:
      return read_body<HeartbeatReply>(from.getHeartbeatReply());
    case Envelope::MAP_REQUEST:
      return read_body<MapRequest>(from.getMapRequest());
    case Envelope::MAP_UPDATE:
      return read_body<MapUpdate>(from.getMapUpdate());
    case Envelope::DECLARE_TABLES:
      return read_body<DeclareTables>(from.getDeclareTables());
    case Envelope::TABLES_READY:
      return read_body<TablesReady>(from.getTablesReady());
    case Envelope::PULL:
      return read_body<Pull>(from.getPull());
    case Envelope::PULL_REPLY:
      return read_body<PullReply>(from.getPullReply());
    case Envelope::PUSH:
      return read_body<Push>(from.getPush());
    case Envelope::PUSH_REPLY:
      return read_body<PushReply>(from.getPushReply());
    case Envelope::GET_ROWS:
      return read_body<GetRows>(from.getGetRows());
    case Envelope::GET_ROWS_REPLY:
      return read_body<GetRowsReply>(from.getGetRowsReply());
    case Envelope::WORKER_READY:
      return read_body<WorkerReady>(from.getWorkerReady());
    case Envelope::WORK_REQUEST:
      return read_body<WorkRequest>(from.getWorkRequest());
    case Envelope::WORK_GRANT:
      return read_body<WorkGrant>(from.getWorkGrant());
    case Envelope::NO_WORK:
      return read_body<NoWork>(from.getNoWork());
    case Envelope::WORK_PROGRESS:
      return read_body<WorkProgress>(from.getWorkProgress());
    case Envelope::WORK_PROGRESS_REPLY:
      return read_body<WorkProgressReply>(from.getWorkProgressReply());
    case Envelope::WORK_DONE:
      return read_body<WorkDone>(from.getWorkDone());
    case Envelope::WORK_DONE_REPLY:
      return read_body<WorkDoneReply>(from.getWorkDoneReply());
    case Envelope::SNAPSHOT:
      return read_body<Snapshot>(from.getSnapshot());
    case Envelope::SNAPSHOT_REPLY:
      return read_body<SnapshotReply>(from.getSnapshotReply());
    case Envelope::RESTORE:
      return read_body<Restore>(from.getRestore());
    case Envelope::RESTORE_REPLY:
      return read_body<RestoreReply>(from.getRestoreReply());
    case Envelope::STATUS_REQUEST:
      return read_body<StatusRequest>(from.getStatusRequest());
    case Envelope::STATUS_REPLY:
      return read_body<StatusReply>(from.getStatusReply());
    case Envelope::STOP_JOB:
      return read_body<StopJob>(from.getStopJob());
    case Envelope::JOB_ENDED:
      return read_body<JobEnded>(from.getJobEnded());
    case Envelope::TABLES_REQUEST:
      return read_body<TablesRequest>(from.getTablesRequest());
    case Envelope::TABLES_REPLY:
      return read_body<TablesReply>(from.getTablesReply());
    case Envelope::REPLICATE:
      return read_body<Replicate>(from.getReplicate());
    case Envelope::REPLICATE_REPLY:
      return read_body<ReplicateReply>(from.getReplicateReply());
    case Envelope::SHARD_CHUNK:
      return read_body<ShardChunk>(from.getShardChunk());
    case Envelope::SHARD_CHUNK_REPLY:
      return read_body<ShardChunkReply>(from.getShardChunkReply());
    case Envelope::LEARNERS_READY:
      return read_body<LearnersReady>(from.getLearnersReady());
    case Envelope::PROMISE_REQUEST:
      return read_body<PromiseRequest>(from.getPromiseRequest());
    case Envelope::PROMISE:
      return read_body<Promise>(from.getPromise());
  }
  return refused("unknown message");
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
  CAPSTAN_ASSIGN(Message message, read_any(envelope));
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
  std::visit(
      [&](const auto& body) {
        write_body(envelope, body);
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
