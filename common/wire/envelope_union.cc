#include "common/wire/envelope_union.h"

#include "common/wire/convert.h"

namespace capstan {
namespace {

#define CAPSTAN_EACH_MESSAGE(X)             \
  X(Hello, HELLO)                           \
  X(Welcome, WELCOME)                       \
  X(Refusal, REFUSAL)                       \
  X(Heartbeat, HEARTBEAT)                   \
  X(HeartbeatReply, HEARTBEAT_REPLY)        \
  X(MapRequest, MAP_REQUEST)                \
  X(MapUpdate, MAP_UPDATE)                  \
  X(DeclareTables, DECLARE_TABLES)          \
  X(TablesReady, TABLES_READY)              \
  X(Pull, PULL)                             \
  X(PullReply, PULL_REPLY)                  \
  X(Push, PUSH)                             \
  X(PushReply, PUSH_REPLY)                  \
  X(GetRows, GET_ROWS)                      \
  X(GetRowsReply, GET_ROWS_REPLY)           \
  X(WorkerReady, WORKER_READY)              \
  X(WorkRequest, WORK_REQUEST)              \
  X(WorkGrant, WORK_GRANT)                  \
  X(NoWork, NO_WORK)                        \
  X(WorkProgress, WORK_PROGRESS)            \
  X(WorkProgressReply, WORK_PROGRESS_REPLY) \
  X(WorkDone, WORK_DONE)                    \
  X(WorkDoneReply, WORK_DONE_REPLY)         \
  X(Snapshot, SNAPSHOT)                     \
  X(SnapshotReply, SNAPSHOT_REPLY)          \
  X(Restore, RESTORE)                       \
  X(RestoreReply, RESTORE_REPLY)            \
  X(StatusRequest, STATUS_REQUEST)          \
  X(StatusReply, STATUS_REPLY)              \
  X(StopJob, STOP_JOB)                      \
  X(JobEnded, JOB_ENDED)                    \
  X(TablesRequest, TABLES_REQUEST)          \
  X(TablesReply, TABLES_REPLY)              \
  X(Replicate, REPLICATE)                   \
  X(ReplicateReply, REPLICATE_REPLY)        \
  X(ShardChunk, SHARD_CHUNK)                \
  X(ShardChunkReply, SHARD_CHUNK_REPLY)     \
  X(LearnersReady, LEARNERS_READY)          \
  X(PromiseRequest, PROMISE_REQUEST)        \
  X(Promise, PROMISE)                       \
  X(HandOver, HAND_OVER)                    \
  X(HandedOver, HANDED_OVER)                \
  X(ChangeServers, CHANGE_SERVERS)          \
  X(ChangeServersReply, CHANGE_SERVERS_REPLY) \
  X(TraceRequest, TRACE_REQUEST)            \
  X(TraceReply, TRACE_REPLY)

#define CAPSTAN_WRITE(Type, kCase)                             \
  void write_body(wire::Envelope::Builder to, const Type& m) { \
    wire::write(to.init##Type(), m);                           \
  }
CAPSTAN_EACH_MESSAGE(CAPSTAN_WRITE)
#undef CAPSTAN_WRITE

template <typename T, typename Reader>
Message read_body(Reader from) {
  T message;
  wire::read(from, message);
  return message;
}

}  // namespace

void write_union(wire::Envelope::Builder to, const Message& message) {
  std::visit([&](const auto& body) { write_body(to, body); }, message);
}

Result<Message> read_union(wire::Envelope::Reader from) {
  switch (from.which()) {
#define CAPSTAN_READ(Type, kCase) \
  case wire::Envelope::kCase:     \
    return read_body<Type>(from.get##Type());
    CAPSTAN_EACH_MESSAGE(CAPSTAN_READ)
#undef CAPSTAN_READ
  }
  return make_error(ErrorCode::kCorrupt, "unknown message");
}

#undef CAPSTAN_EACH_MESSAGE

}  // namespace capstan
