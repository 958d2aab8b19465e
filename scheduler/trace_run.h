// TraceRun: asks every node what it does for a while, and gives a tool all their answers on one clock.
#pragma once

#include <map>

#include "common/event_loop.h"
#include "common/message.h"
#include "scheduler/membership.h"
#include "scheduler/peers.h"

namespace capstan {

class TraceRun {
 public:
  static constexpr std::uint32_t kMillisecondsMax = 60'000;
  static constexpr std::size_t kSpansMax = 400'000;  // of all nodes: an answer of some 25 MB

  TraceRun(EventLoop& loop, const Membership& membership, Peers& peers)
      : loop_(loop), membership_(membership), peers_(peers), end_(loop) {}

  // Answers `tool` when all nodes that live now have answered, or some seconds after the time is over. One at
  // a time.
  void begin(PeerId tool, std::uint64_t request_id, const TraceRequest& request);
  void on_reply(const Node& node, std::uint64_t request_id, const TraceReply& reply);

 private:
  void ask(const Node& node, const TraceRequest& request);
  void finish();

  EventLoop& loop_;
  const Membership& membership_;
  Peers& peers_;
  PeerId tool_ = 0;
  std::uint64_t tool_request_ = 0;
  std::uint64_t id_ = 0;
  Instant begun_{};
  std::map<NodeId, Instant> asked_;  // who has not answered, and when it was asked
  TraceReply reply_;
  Timer end_;
};

}  // namespace capstan
