// What a node did and when, for `capstan trace`. The spans of one step have its pass, stream and batch at the
// worker and at the servers alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/node_id.h"

namespace capstan {

enum class SpanKind : std::uint8_t {
  kBuild,       // worker: the batch is read and becomes features
  kPull,        // from asking for its rows until all are here
  kPullCall,    // of it: one message to one server, and its answer
  kCompute,     // forward and backward pass
  kPush,        // from sending its gradients until all of them are acknowledged
  kPushCall,    // of it: one message to one server, and its answer
  kServePull,   // server: from a pull's arrival to its answer
  kApplyPush,   // from a push's arrival until its own rows have it
  kCommitPush,  // from then until every member of the chains has it
};
// "pull", "serve pull", ...
const char* to_string(SpanKind kind);

// Which batch of the job; of an evaluation the pass that follows it.
struct StepId {
  std::uint32_t pass = 0, stream = 0;  // common/segments.h
  std::uint64_t batch = 0;
  auto operator<=>(const StepId&) const = default;
};
struct TraceSpan {
  SpanKind kind = SpanKind::kBuild;
  StepId step;
  NodeId peer = 0;          // whom a call went to; else 0
  std::uint64_t count = 0;  // of keys; of a computation, of examples
  // Microseconds: on the node's own clock where the node answers, since the trace began where the scheduler
  // does.
  std::int64_t begin = 0, length = 0;
};
struct NodeTrace {
  NodeId node_id = 0;
  std::string name;
  std::int64_t begun = 0, ended = 0;  // the node's clock when it was asked and when it answered
  std::uint64_t dropped = 0;          // spans beyond those that there was room for
  std::vector<TraceSpan> spans;
};

// A tool to the scheduler, and the scheduler to every node: say what you do for so long.
struct TraceRequest {
  std::uint32_t milliseconds = 0;
  std::uint32_t spans_max = 0;  // of a node
};
struct TraceReply {
  std::string error;
  std::vector<NodeTrace> nodes;
};

}  // namespace capstan
