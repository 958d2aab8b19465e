// ServerPeers: a worker's or server's connections to the servers of the shard map, greeted before use.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"

namespace capstan {

class ServerPeers {
 public:
  ServerPeers(EventLoop& loop, Transport& transport, Rpc& rpc, const Log& log, const SchedulerLink& link);

  // Takes up new addresses of the map.
  void on_map();
  // The greeted peer of a node, or nothing: the greeting is under way and on_ready() will tell.
  std::optional<PeerId> find(NodeId node) const;
  // A shard's primary by our map, when it is greeted; 0: it cannot be asked now.
  NodeId greeted_primary(std::uint32_t shard) const;
  // What a call to the node came to. One that does not know us is another process by now, and greeted; one
  // that does not answer, though it has shards, is named in the log, and when it answers again.
  void note(NodeId node, const Result<Message>& reply);
  // The names of those that do not answer: "ps-1, ps-2".
  std::string silent() const;
  std::string name_of(NodeId node) const;
  void on_ready(std::function<void()> handler) { ready_ = std::move(handler); }

 private:
  struct Entry {
    std::string endpoint;
    PeerId peer = 0;
    bool greeted = false;
    bool greeting = false;
    bool silent = false;
  };

  bool has_shards(NodeId node) const;

  void hear(NodeId node);
  void probe(NodeId node);
  void on_probe(NodeId node, PeerId peer, const Result<Message>& reply);
  void greet_again_later();
  void greet(NodeId node);
  void on_greeting(NodeId node, PeerId peer, const Result<Message>& reply);

  Transport& transport_;
  Rpc& rpc_;
  Log log_;
  const SchedulerLink& link_;
  std::map<NodeId, Entry> entries_;
  std::function<void()> ready_;
  Timer retry_;
};

}  // namespace capstan
