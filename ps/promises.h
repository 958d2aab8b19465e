// Promises: how a primary with backups goes on while the scheduler is silent. Each of the others in its chain
// promises, for a lease at a time, not to serve the shard in its place; with every one of them promising,
// nobody can be its successor. Promises are asked for, and given, only by those who do not hear the
// scheduler.
#pragma once

#include <map>
#include <set>

#include "common/event_loop.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"

namespace capstan {

// What others promised us. On the node's loop.
class Promises {
 public:
  Promises(EventLoop& loop, Rpc& rpc, SchedulerLink& link, const ServerPeers& others);

  // Who has to promise: all others in the chains that we lead, and their learners.
  void on_map();
  // Until when all of them leave `shard` to us: counted from when they were asked, less 10 % for clocks that
  // drift apart. Long ago when one has not promised, or by a map in which we did not lead the shard yet.
  Instant until(std::uint32_t shard) const;

 private:
  // By one node: until when, by the map version that it promised under. Of two promises the later one under
  // the higher version says all; so these ends fall as the versions rise.
  using Given = std::map<std::uint64_t, Instant>;

  void tick();
  void ask(NodeId node);
  static void note(Given& given, std::uint64_t map_version, Instant until);

  EventLoop& loop_;
  Rpc& rpc_;
  SchedulerLink& link_;
  const ServerPeers& others_;
  std::set<NodeId> asked_;
  std::map<NodeId, Given> given_;
  Timer timer_;
};

}  // namespace capstan
