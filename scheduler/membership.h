// Membership: which nodes the job knows, under which names, and whose lease still holds. Pure: time is passed
// in.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/message.h"
#include "common/transport.h"

namespace capstan {

struct Node {
  NodeId id = 0;
  Role role = Role::kServer;
  std::string name, endpoint, host, zone;
  std::uint64_t incarnation = 0;
  std::uint64_t memory_limit = 0;
  PeerId peer = 0;      // 0: has not greeted since this scheduler started
  bool alive = false;   // its lease holds
  Instant lease_end{};  // once not alive: since when it is lost
  std::uint64_t map_version = 0, rows = 0, bytes = 0, clock = 0;
  std::string stats_json;
};

struct Greeting {
  enum class Outcome {
    kNew,       // a name not seen before
    kAgain,     // the same process, perhaps over another connection
    kReplaced,  // another process under the name of one whose lease has ended
    kRefused,   // the name is held by another living process, or this process has been replaced
  };
  Outcome outcome = Outcome::kNew;
  NodeId id = 0;
  std::string text;  // why it was refused
};

// Servers and workers only; tools are no members. A lease ends `lease` after the arrival of the last
// heartbeat, here. The node counts from the moment it sent that heartbeat, less 10 %, so it stops first.
class Membership {
 public:
  static constexpr std::size_t kNodesMax = 20000;

  explicit Membership(Duration lease) : lease_(lease), first_term_(lease) {}
  // `first_term`: how long nodes from the journal count as alive, at least a lease. Of several schedulers
  // they have to find the one that leads now.
  Membership(Duration lease, Duration first_term) : lease_(lease), first_term_(first_term) {}

  // An empty name is replaced by the first free ps-N or worker-N. At most kNodesMax names are taken in.
  Greeting greet(const Hello& hello, PeerId peer, Instant now);
  // A node from the journal. Its lease is taken to hold for the first term, as it may have been renewed just
  // before.
  void recover(Node node, Instant now);
  // False when the sender is not the process that holds the name, or its lease has ended: it must greet
  // again.
  bool heartbeat(const Heartbeat& heartbeat, Instant now);
  // Another lease for everybody: the scheduler itself was stopped, so their silence means nothing.
  void spare(Instant now);
  // It has said that it goes: its lease ends without a word.
  void leave(NodeId id);
  // A server that owns nothing any more counts for nothing.
  void drop_stats(NodeId id);
  // Counters that came otherwise than in a heartbeat.
  void take_stats(NodeId id, std::string stats_json, std::uint64_t rows, std::uint64_t bytes);
  // Nodes whose lease has ended since the last call, ascending by id. O(those nodes).
  std::vector<NodeId> expire(Instant now);

  const Node* find(NodeId id) const;
  const Node* find(std::string_view name) const;
  const std::map<NodeId, Node>& nodes() const { return nodes_; }
  std::vector<NodeId> alive(Role role) const;  // ascending by id
  std::size_t count_alive(Role role) const { return role == Role::kServer ? servers_alive_ : workers_alive_; }

 private:
  std::string free_name(Role role) const;
  void renew(Node& node, Instant until);
  void set_alive(Node& node, bool alive);

  Duration lease_, first_term_;
  std::map<NodeId, Node> nodes_;
  std::map<std::string, NodeId, std::less<>> by_name_;
  std::set<std::pair<Instant, NodeId>> lease_ends_;      // of living nodes
  std::map<NodeId, std::vector<std::uint64_t>> former_;  // incarnations that were replaced, newest last
  std::size_t servers_alive_ = 0, workers_alive_ = 0;
  NodeId last_id_ = 0;
};

}  // namespace capstan
