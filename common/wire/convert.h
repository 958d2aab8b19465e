// One pair of functions a message: write() fills its wire form, read() takes it back. Internal to the codec.
#pragma once

#include "common/message.h"
#include "common/wire/envelope.capnp.h"

namespace capstan::wire {

// Thrown by read() for a value outside its enumeration; caught in codec.cc.
struct OutOfRange {};

template <typename Enum>
Enum checked_enum(std::uint8_t value, Enum last) {
  if (value > static_cast<std::uint8_t>(last)) throw OutOfRange{};
  return static_cast<Enum>(value);
}

inline std::string to_string(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

// Fills a list builder from values, element by element.
template <typename List, typename Values>
void write_list(List list, const Values& values) {
  unsigned index = 0;
  for (const auto& value : values) write(list[index++], value);
}
template <typename Reader, typename Value>
void read_list(Reader list, std::vector<Value>& values) {
  values.resize(list.size());
  unsigned index = 0;
  for (auto& value : values) read(list[index++], value);
}
// Lists of numbers: Cap'n Proto's iterators are too plain for std::vector's.
template <typename Reader, typename Value>
void read_values(Reader list, std::vector<Value>& values) {
  values.clear();
  values.reserve(list.size());
  for (const auto value : list) values.push_back(value);
}
inline unsigned size_of(std::size_t count) {
  return static_cast<unsigned>(count);
}

#define CAPSTAN_WIRE_PAIR(Type)                            \
  void write(Type::Builder to, const capstan::Type& from); \
  void read(Type::Reader from, capstan::Type& to);

CAPSTAN_WIRE_PAIR(Hello)
CAPSTAN_WIRE_PAIR(Welcome)
CAPSTAN_WIRE_PAIR(Refusal)
CAPSTAN_WIRE_PAIR(ShardLoad)
CAPSTAN_WIRE_PAIR(Heartbeat)
CAPSTAN_WIRE_PAIR(HeartbeatReply)
CAPSTAN_WIRE_PAIR(MapRequest)
CAPSTAN_WIRE_PAIR(NodeAddress)
CAPSTAN_WIRE_PAIR(ShardEntry)
CAPSTAN_WIRE_PAIR(MapUpdate)
CAPSTAN_WIRE_PAIR(TableSpec)
CAPSTAN_WIRE_PAIR(OptimizerSpec)
CAPSTAN_WIRE_PAIR(DeclareTables)
CAPSTAN_WIRE_PAIR(TablesReady)
CAPSTAN_WIRE_PAIR(Section)
CAPSTAN_WIRE_PAIR(PullSlice)
CAPSTAN_WIRE_PAIR(Pull)
CAPSTAN_WIRE_PAIR(SliceResult)
CAPSTAN_WIRE_PAIR(PullReply)
CAPSTAN_WIRE_PAIR(PushSlice)
CAPSTAN_WIRE_PAIR(Push)
CAPSTAN_WIRE_PAIR(PushReply)
CAPSTAN_WIRE_PAIR(GetRows)
CAPSTAN_WIRE_PAIR(GetRowsReply)
CAPSTAN_WIRE_PAIR(EvaluatePart)
CAPSTAN_WIRE_PAIR(WorkerReady)
CAPSTAN_WIRE_PAIR(WorkId)
CAPSTAN_WIRE_PAIR(WorkRequest)
CAPSTAN_WIRE_PAIR(WorkGrant)
CAPSTAN_WIRE_PAIR(NoWork)
CAPSTAN_WIRE_PAIR(WorkCursor)
CAPSTAN_WIRE_PAIR(WorkProgress)
CAPSTAN_WIRE_PAIR(EndWish)
CAPSTAN_WIRE_PAIR(WorkProgressReply)
CAPSTAN_WIRE_PAIR(WorkDone)
CAPSTAN_WIRE_PAIR(WorkDoneReply)
CAPSTAN_WIRE_PAIR(Snapshot)
CAPSTAN_WIRE_PAIR(ShardSection)
CAPSTAN_WIRE_PAIR(SnapshotReply)
CAPSTAN_WIRE_PAIR(Restore)
CAPSTAN_WIRE_PAIR(RestoreReply)
CAPSTAN_WIRE_PAIR(StatusRequest)
CAPSTAN_WIRE_PAIR(StatusReply)
CAPSTAN_WIRE_PAIR(StopJob)
CAPSTAN_WIRE_PAIR(TablesRequest)
CAPSTAN_WIRE_PAIR(TablesReply)
CAPSTAN_WIRE_PAIR(JobEnded)
CAPSTAN_WIRE_PAIR(ReplicaRecord)
CAPSTAN_WIRE_PAIR(Replicate)
CAPSTAN_WIRE_PAIR(ReplicaAck)
CAPSTAN_WIRE_PAIR(ReplicateReply)
CAPSTAN_WIRE_PAIR(ShardChunk)
CAPSTAN_WIRE_PAIR(ShardChunkReply)
CAPSTAN_WIRE_PAIR(LearnersReady)
CAPSTAN_WIRE_PAIR(PromiseRequest)
CAPSTAN_WIRE_PAIR(Promise)
CAPSTAN_WIRE_PAIR(ShardAt)
CAPSTAN_WIRE_PAIR(HandOver)
CAPSTAN_WIRE_PAIR(HandedOver)
CAPSTAN_WIRE_PAIR(ChangeServers)
CAPSTAN_WIRE_PAIR(ChangeServersReply)
CAPSTAN_WIRE_PAIR(TraceRequest)
CAPSTAN_WIRE_PAIR(TraceSpan)
CAPSTAN_WIRE_PAIR(NodeTrace)
CAPSTAN_WIRE_PAIR(TraceReply)
void write(ReadyLearner::Builder to, const capstan::LearnersReady::Entry& from);
void read(ReadyLearner::Reader from, capstan::LearnersReady::Entry& to);

#undef CAPSTAN_WIRE_PAIR

}  // namespace capstan::wire
