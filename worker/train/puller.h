// Puller: fetches the rows of a step from whoever owns them, through map changes, lost messages and restarts.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"
#include "worker/train/shard_ranges.h"
#include "worker/train/step_program.h"

namespace capstan {

// What a pull needs to have seen, and what it saw.
struct PullTicket {
  std::uint32_t pass = 0;
  std::uint64_t term = 0;          // of the work that it is for
  std::uint64_t needs_clock = 0;   // every slot's batches below this one must be applied; sync: and no others
  std::vector<ShardRange> ranges;  // of the tables, from shard_ranges()
  std::vector<std::uint64_t> versions;  // [ranges]: pushes that the range's shard had applied
  bool of_copies = false;               // backups that have what is needed may be asked
  StepId step{};                        // for traces
  // Takes a range's rows, [count, dim], valid during the call; not set: they go to the tables' `rows`.
  std::function<void(const ShardRange& range, const float* rows)> take_rows{};
};

class Puller {
 public:
  Puller(EventLoop& loop, Rpc& rpc, const Log& log, SchedulerLink& link, ServerPeers& peers,
         const std::vector<TableSpec>& specs, std::uint64_t frame_bytes_max);

  // Cuts ticket.ranges where one is too much for a message, fills rows of every table (or gives them to
  // ticket.take_rows) and ticket.versions,
  // then runs `done`. Tries until it has them: the scheduler ends the job when an owner is gone for good.
  // Tables and ticket stay put until then. Never calls `done` before it returns.
  void pull(std::vector<StepTable>& tables, PullTicket& ticket, std::function<void()> done);
  // Drops a pull that has not finished; its `done` never runs.
  void cancel(const PullTicket& ticket);
  // Asks again for what could not be asked (new map, new greeting), and for what was asked of a server that
  // no longer owns it.
  void resume();
  std::uint64_t bytes() const { return bytes_; }  // of rows that came, since the start
  // How long pulls took, from the first word to the last row.
  const LatencyHistogram& waits() const { return waits_; }

 private:
  struct Asked {
    NodeId node = 0;
    std::vector<std::uint32_t> ranges;
    std::size_t keys = 0;
    Instant at{};
  };
  struct Request {
    std::vector<StepTable>* tables;
    PullTicket* ticket;
    std::vector<std::uint32_t> missing;    // ranges not asked for
    std::set<std::uint32_t> primary_only;  // ranges whose copy lacked what is needed
    std::map<std::uint64_t, Asked> asked;  // messages on their way
    std::function<void()> done;
    std::uint64_t id = 0;
    Instant begun{};
  };

  void ask(Request& request);
  // Of the range's chain, or 0: nobody can be asked now.
  NodeId whom_to_ask(const Request& request, std::uint32_t range) const;
  void send(Request& request, NodeId node, std::vector<std::uint32_t> ranges);
  void on_reply(std::uint64_t id, std::uint64_t message, const Result<Message>& reply);
  void ask_again(Request& request, NodeId node, const std::vector<std::uint32_t>& ranges);
  void take_back(Request& request);
  const float* widened(Dtype dtype, const std::byte* stored, std::size_t count);
  // Copies what came; gives back the ranges to ask for again.
  std::vector<std::uint32_t> take(Request& request, const std::vector<std::uint32_t>& ranges,
                                  const PullReply& reply);

  EventLoop& loop_;
  Rpc& rpc_;
  Log log_;
  SchedulerLink& link_;
  ServerPeers& peers_;
  const std::vector<TableSpec>& specs_;
  std::uint64_t frame_bytes_max_;
  std::list<Request> requests_;
  std::uint64_t next_id_ = 1, next_message_ = 1;
  std::uint64_t bytes_ = 0;
  LatencyHistogram waits_;
  std::vector<float> widened_;
  Timer retry_;
};

}  // namespace capstan
