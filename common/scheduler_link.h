// SchedulerLink: a server's or worker's bond with the scheduler that leads: greeting, heartbeats, lease,
// shard map, end of job.
#pragma once

#include <functional>
#include <string>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/message.h"
#include "common/result.h"
#include "common/rpc.h"
#include "common/scheduler_peers.h"
#include "common/shard_map.h"

namespace capstan {

// Greets until welcomed, and again whenever the scheduler has forgotten us (it restarted). Of several, one
// that has been silent for a lease is left for the next. All on the node's loop.
class SchedulerLink {
 public:
  struct Hooks {
    std::function<void(const Welcome&, bool first)> on_welcome;
    std::function<void()> on_map;                            // map() has changed
    std::function<void(const std::string& why)> on_refused;  // for good: other job, other version, job over
    std::function<void(Heartbeat&)> fill_heartbeat;          // adds counters
  };

  SchedulerLink(EventLoop& loop, Transport& transport, Rpc& rpc, const Log& log, Hello hello, Hooks hooks);

  // REQUIRES: before start().
  void set_hello(Hello hello) { hello_ = std::move(hello); }
  // Connects in the background; kInvalid for an endpoint that cannot be one. Several have commas between.
  // When no scheduler has answered for `patience`, on_refused is called; 0: asks for ever.
  Status start(const std::string& endpoints, Duration patience = {});
  void refresh_map();

  PeerId peer() const { return schedulers_.current(); }
  NodeId node_id() const { return node_id_; }
  std::uint32_t generation() const { return generation_; }
  const ShardMap& map() const { return map_; }
  const Hello& hello() const { return hello_; }
  // Until when the scheduler lets us act: counted from the send time of the heartbeat it answered, less 10 %
  // for clocks that drift apart. A lease that comes with a newer map holds once we have that map: it may say
  // that another acts in our place.
  Instant lease_until() const { return lease_until_; }
  Duration lease() const { return lease_; }
  // For half a lease and more nothing has come that prolongs ours.
  bool scheduler_silent() const { return loop_.now() + lease_ / 2 > lease_until_; }
  // The newest moment at which we know the scheduler to have heard us: when the message was sent that it
  // answered. An answer may have lain unread for as long as this process was stopped.
  Instant heard_at() const { return heard_at_; }
  // Hands over messages that the node got from the scheduler unasked. True when it was one of the link's.
  bool on_notification(const Message& message);

 private:
  void greet();
  void on_greeting(Instant sent, const Result<Message>& reply);
  void beat();
  void ask_next();
  void on_heartbeat_reply(const Result<Message>& reply);
  void take_map(const MapUpdate& update);
  void take_lease();

  EventLoop& loop_;
  Transport& transport_;
  Rpc& rpc_;
  Log log_;
  Hello hello_;
  Hooks hooks_;
  SchedulerPeers schedulers_;
  NodeId node_id_ = 0;
  std::uint32_t generation_ = 0;
  Duration lease_{0};
  Instant lease_until_{};
  Instant next_lease_until_{};  // as soon as the map has next_lease_map_
  std::uint64_t next_lease_map_ = 0;
  Instant heard_at_{};
  Instant give_up_at_ = Instant::max();
  bool welcomed_ = false;
  bool waits_for_name_ = false;
  bool waits_for_answer_ = false;
  bool told_of_silence_ = false;
  bool fetching_map_ = false;
  ShardMap map_;
  Timer timer_;
};

}  // namespace capstan
