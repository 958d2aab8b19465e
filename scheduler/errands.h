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
    Instant due{};  // when it is sent next
  };

  explicit Errands(Duration again_after) : again_after_(again_after) {}

  void add(NodeId server, std::uint64_t request_id, Message request);
  // False: not what this server is asked for.
  bool answered(NodeId server, std::uint64_t request_id);
  // Servers whose request should go out now; counts as sent.
  std::vector<NodeId> take_due(Instant now);
  void resend(NodeId server);  // at once: its connection is new
  void clear() { errands_.clear(); }

  bool idle() const { return errands_.empty(); }
  const Errand* find(NodeId server) const;
  const std::map<NodeId, Errand>& open() const { return errands_; }

 private:
  Duration again_after_;
  std::map<NodeId, Errand> errands_;
};

}  // namespace capstan
