// SimNetwork: every connection of a simulated world, with the manners of ZeroMQ's DEALER and ROUTER over TCP.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/rng.h"
#include "common/transport.h"
#include "sim/event_queue.h"
#include "sim/options.h"

namespace capstan {

struct NetworkCounters {
  std::uint64_t sent = 0, delivered = 0, lost = 0, duplicated = 0, busy = 0, unavailable = 0, reconnects = 0;
  std::uint64_t dropped_closed_peer = 0;
};

// The connecting end queues while nobody is there; the listening end answers kUnavailable then. Without
// faults a connection keeps order. When it breaks (a crash, a long partition, chance) some first part of what
// was on its way still arrives, the rest is lost. A partition either delays what was sent into it until it
// heals, or loses it.
class SimNetwork {
 public:
  SimNetwork(EventQueue& queue, const NetworkOptions& options, Rng rng);

  void set_faults(bool on) { faults_ = on; }
  // Nothing passes from `from` to `to` until allow().
  void block(NodeIndex from, NodeIndex to);
  void allow(NodeIndex from, NodeIndex to);
  void allow_all();
  // Overrides the options' delays between two nodes, both ways.
  void set_delay(NodeIndex a, NodeIndex b, Duration least, Duration most);

  const NetworkCounters& counters() const { return counters_; }

  // For SimTransport.
  Result<std::string> bind(NodeIndex node, const std::string& endpoint);
  Result<PeerId> connect(NodeIndex node, const std::string& endpoint);
  Status send(NodeIndex node, PeerId to, Frames frames);
  void close(NodeIndex node, PeerId peer);
  void set_handler(NodeIndex node, Transport::Handler handler);
  void crashed(NodeIndex node);

 private:
  using ConnectionId = std::uint64_t;
  using Nodes = std::pair<NodeIndex, NodeIndex>;

  struct Direction {
    Instant last_arrival{};
    std::uint32_t on_the_way = 0;  // sent and neither arrived nor lost
    std::uint32_t survivors = 0;   // of those on the way when the connection broke
    std::vector<Frames> stalled;   // arrived at a partition
  };
  struct Connection {
    NodeIndex client = 0, server = 0;
    std::string endpoint;
    PeerId client_peer = 0, server_peer = 0;
    std::uint64_t server_life = 0;  // the life in which server_peer means something
    std::uint64_t epoch = 0;        // counts how often it was established
    bool up = false;
    bool client_gone = false;  // closed or crashed: never established again
    bool server_ignores = false;
    bool stalls = true;  // how it bears the next partition: delaying or losing
    Instant blocked_since{};
    Duration backoff{};
    Direction to_server, to_client;
    std::deque<Frames> waiting;  // sent by the client while not up
  };
  struct Host {
    Transport::Handler handler;
    std::unordered_map<PeerId, ConnectionId> peers;
    std::set<ConnectionId> connections;  // in which it is client or server
  };

  bool chance(double probability) { return faults_ && probability > 0 && rng_.chance(probability); }
  bool blocked(NodeIndex from, NodeIndex to) const { return blocked_.contains({from, to}); }
  Connection* find(ConnectionId id);
  Duration delay(NodeIndex from, NodeIndex to, std::uint64_t bytes);
  void try_later(ConnectionId id);
  void try_to_establish(ConnectionId id);
  void bind_peer(ConnectionId id, Connection& connection, NodeIndex server);
  void break_up(ConnectionId id, Connection& connection);
  void erase(ConnectionId id);
  void erase_if_done(ConnectionId id);
  void transmit(ConnectionId id, bool to_server, Frames frames);
  void arrive_later(ConnectionId id, bool to_server, Instant at, Frames frames);
  void arrive(ConnectionId id, bool to_server, std::uint64_t epoch, Frames frames);
  void deliver(ConnectionId id, Connection& connection, bool to_server, Frames frames);
  void release_stalled(ConnectionId id, bool to_server);
  Frames copy(const Frames& frames);
  Host& host(NodeIndex node);

  EventQueue& queue_;
  NetworkOptions options_;
  Rng rng_;
  bool faults_ = true;
  NetworkCounters counters_;
  std::map<ConnectionId, Connection> connections_;
  std::map<std::string, NodeIndex> listeners_;
  std::deque<Host> hosts_;  // references stay good while nodes are added
  std::set<Nodes> blocked_;
  std::map<Nodes, std::pair<Duration, Duration>> delays_;
  ConnectionId last_connection_ = 0;
  PeerId last_peer_ = 0;
  std::uint32_t last_port_ = 40'000;
};

}  // namespace capstan
