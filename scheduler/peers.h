// Peers: who is at the other end of each conversation, and what was refused from whom. Knows the codec and
// nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/log.h"
#include "common/message.h"
#include "common/transport.h"

namespace capstan {

struct Peer {
  Role role = Role::kTool;
  NodeId node = 0;  // 0: a tool
};

// Greeted peers only. At most kToolsMax tools are remembered; the oldest is closed to make room.
class Peers {
 public:
  static constexpr std::size_t kToolsMax = 256;

  Peers(Transport& transport, const Log& log) : transport_(transport), log_(log) {}

  void add(PeerId id, Peer peer);  // a node's former connection is forgotten
  const Peer* find(PeerId id) const;

  // What cannot be sent is dropped: whoever needs an answer asks again.
  void send(PeerId to, const Message& message, std::uint64_t request_id = 0);
  void refuse(PeerId to, RefusalReason reason, std::string text, std::uint64_t request_id);
  void broadcast(const Message& message);
  // From now on nothing is sent to anybody.
  void hush() { hushed_ = true; }
  // Bytes that are no message: counted under `reason`, and the sender is disconnected.
  void drop(PeerId from, const std::string& reason);

  const std::map<std::string, std::uint64_t>& refusals() const { return refusals_; }  // by reason

 private:
  Transport& transport_;
  const Log& log_;
  std::map<PeerId, Peer> peers_;
  std::map<NodeId, PeerId> by_node_;
  std::map<std::string, std::uint64_t> refusals_;
  bool hushed_ = false;
};

}  // namespace capstan
