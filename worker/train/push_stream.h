// PushStream: the pushes of one training item under one term, in the streams that its segments are
// (common/segments.h). Each shard's slice of a batch is sealed when it is numbered: whatever is resent has
// the same bytes, and every slice is answered for itself.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/segments.h"
#include "common/server_peers.h"
#include "worker/train/puller.h"

namespace capstan {

// What all streams of a worker have done since it started.
struct PushCounts {
  std::uint64_t sealed = 0;     // slices
  std::uint64_t abandoned = 0;  // of them: not acknowledged when their stream was given up
  std::uint64_t bytes = 0;      // of keys and gradients sent, repetitions included
};

class PushStream {
 public:
  struct Hooks {
    // Every slice of it, `slices` in number; perhaps out of order.
    std::function<void(std::uint64_t sequence, std::uint64_t slices)> on_acknowledged;
    std::function<void()> on_fenced;  // another holds the stream: give it up
  };
  struct Id {
    std::uint32_t pass = 0, partition = 0;
    std::uint64_t term = 0;
    std::uint32_t num_shards = 0;
    bool every_shard = false;  // stepped modes: shards that a batch does not touch hear of it too
    std::uint64_t frame_bytes_max = 256ULL << 20;
    std::uint32_t window_max = 4;  // batches that may wait for their answers
    std::uint32_t num_partitions = 1;
    Segments segments{};
  };

  // All outlive it, and so do `counts`.
  PushStream(EventLoop& loop, Rpc& rpc, SchedulerLink& link, ServerPeers& peers,
             const std::vector<TableSpec>& specs, PushCounts& counts, Id id, Hooks hooks);
  ~PushStream();
  PushStream(const PushStream&) = delete;
  PushStream& operator=(const PushStream&) = delete;

  // REQUIRES: sequences rise. `step`: of the job. Hooks never run before this returns.
  void push(std::uint64_t sequence, std::uint64_t step, std::vector<StepTable> tables,
            const PullTicket& ticket);
  // Why these gradients cannot be pushed: a shard's slice is one thing and travels whole. Empty: they can.
  std::string too_large(const std::vector<StepTable>& tables, const PullTicket& ticket) const;
  std::size_t unacknowledged() const { return batches_.size(); }
  // As many batches wait for their answers as may. The window is halved when a server has no room, and grows
  // by one with each window that is acknowledged.
  bool full() const { return batches_.size() >= window_; }
  std::uint32_t window() const { return window_; }
  // Sends what waits (new map, new greeting), and anew what a server has that no longer owns it.
  void resume();

 private:
  struct Slice {
    std::uint32_t shard = 0;
    std::uint64_t previous = 0, pulled_version = 0;
    std::vector<ShardRange> ranges;
    enum class State { kWaiting, kInFlight, kDone } state = State::kWaiting;
    NodeId at = 0;  // in flight: to this server
  };
  struct Batch {
    std::uint64_t sequence = 0, step = 0;
    std::vector<StepTable> tables;
    std::vector<Slice> slices;
    std::size_t left = 0;
    Instant sealed{};
  };

  std::uint32_t stream_of(std::uint64_t sequence) const;
  StepId step_of(std::uint64_t sequence) const { return {id_.pass, stream_of(sequence), sequence - 1}; }
  std::vector<Slice> seal(std::uint64_t sequence, const std::vector<StepTable>& tables,
                          const PullTicket& ticket);
  void send(Batch& batch, NodeId node, const std::vector<std::size_t>& slices);
  void on_reply(std::uint64_t sequence, NodeId node, const std::vector<std::size_t>& slices,
                const Result<Message>& reply);
  void settle(Batch& batch, const std::vector<std::size_t>& slices, const PushReply& reply);
  void take_back();
  void widen_window();
  void narrow_window();
  void retry_later();

  EventLoop& loop_;
  Rpc& rpc_;
  SchedulerLink& link_;
  ServerPeers& peers_;
  const std::vector<TableSpec>& specs_;
  PushCounts& counts_;
  Id id_;
  Hooks hooks_;
  std::deque<Batch> batches_;                 // unacknowledged, by sequence
  std::vector<std::uint64_t> last_sequence_;  // [shards]: of this term
  std::uint32_t window_;
  std::uint32_t since_widened_ = 0;  // batches acknowledged
  bool fenced_ = false;
  // Answers may come after the stream is gone; the Rpc outlives it.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timer retry_;
};

}  // namespace capstan
