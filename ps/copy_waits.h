// CopyWaits: how long the servers behind this one in its chains take to confirm what they are sent: what a
// slow copy costs everybody who pushes.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "common/event_loop.h"
#include "common/node_id.h"

namespace capstan {

class CopyWaits {
 public:
  // What was longer ago is past.
  static constexpr Duration kPeriod = std::chrono::seconds(5);

  void sent(NodeId node, Instant now) { nodes_[node].open.insert(now); }
  // Of what was sent at `sent_at`, well or not.
  void answered(NodeId node, Instant sent_at, Instant now);

  struct Wait {
    NodeId node = 0;
    Duration time{};
  };
  // The longest of the last one or two periods, one that is not over yet included.
  std::optional<Wait> longest(Instant now) const;

 private:
  struct Times {
    std::multiset<Instant> open;
    Instant period{};  // when it began
    Duration longest{}, longest_before{};
  };

  std::map<NodeId, Times> nodes_;
};

}  // namespace capstan
