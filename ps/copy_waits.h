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
  // Between two calls of look(): this server stood still, and its copies are not to blame for that time.
  static constexpr Duration kStoodStill = std::chrono::seconds(1);

  void look(Instant now);  // several times a second

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

  void notice_standstill(Instant now);

  std::map<NodeId, Times> nodes_;
  std::optional<Instant> looked_;
  Instant counts_from_{};
};

}  // namespace capstan
