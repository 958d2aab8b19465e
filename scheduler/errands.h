// Errands: one request to each of several servers, sent again until answered.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "common/event_loop.h"
#include "common/message.h"

namespace capstan {

// A request keeps its id when it is sent again, so a server can tell a repetition from a new request.
class Errands {
 public:
  struct Errand {
    std::uint64_t request_id = 0;
    Message request;
    Duration again_after{0};
    Instant due{};  // when it is sent next
  };

  // `again_after`: how long to wait for an answer. A server that got the request twice answers it once or
  // twice, but must do it once.
  void add(NodeId server, std::uint64_t request_id, Message request, Duration again_after);
  // False: not what this server is asked for.
  bool answered(NodeId server, std::uint64_t request_id);
  // Servers whose request should go out now; counts as sent.
  std::vector<NodeId> take_due(Instant now);
  void resend(NodeId server);  // at once: its connection is new
  void drop(NodeId server) { errands_.erase(server); }
  void clear() { errands_.clear(); }

  bool idle() const { return errands_.empty(); }
  const Errand* find(NodeId server) const;
  const std::map<NodeId, Errand>& open() const { return errands_; }

 private:
  std::map<NodeId, Errand> errands_;
};

}  // namespace capstan
