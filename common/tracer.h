// Tracer: takes down a node's spans while somebody asked for them. Lives on the node's loop.
#pragma once

#include <functional>

#include "common/event_loop.h"
#include "common/trace_message.h"

namespace capstan {

class Tracer {
 public:
  using Done = std::function<void(NodeTrace trace)>;

  explicit Tracer(EventLoop& loop) : loop_(loop), end_(loop) {}

  // Gives what is taken down until then to `done`. One that is asked for meanwhile ends the one before early.
  void record(const TraceRequest& request, Done done);
  // One from `begin` until now; costs next to nothing while nobody has asked.
  void add(SpanKind kind, const StepId& step, Instant begin, std::uint64_t count = 0, NodeId peer = 0) {
    if (end_.running()) keep(kind, step, begin, count, peer);
  }

 private:
  void keep(SpanKind kind, const StepId& step, Instant begin, std::uint64_t count, NodeId peer);
  void finish();

  EventLoop& loop_;
  Timer end_;
  NodeTrace trace_;
  std::uint32_t spans_max_ = 0;
  Done done_;
};

}  // namespace capstan
