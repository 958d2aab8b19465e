#include "ps/copy_waits.h"

#include <algorithm>

namespace capstan {

void CopyWaits::answered(NodeId node, Instant sent_at, Instant now) {
  Times& times = nodes_[node];
  if (const auto open = times.open.find(sent_at); open != times.open.end()) times.open.erase(open);
  if (now - times.period >= kPeriod) {
    times.longest_before = now - times.period < 2 * kPeriod ? times.longest : Duration(0);
    times.longest = Duration(0);
    times.period = now;
  }
  times.longest = std::max(times.longest, now - sent_at);
}

std::optional<CopyWaits::Wait> CopyWaits::longest(Instant now) const {
  std::optional<Wait> longest;
  for (const auto& [node, times] : nodes_) {
    Duration time(0);
    if (now - times.period < 2 * kPeriod) time = std::max(times.longest, times.longest_before);
    if (!times.open.empty()) time = std::max(time, now - *times.open.begin());
    if (time > Duration(0) && (!longest.has_value() || time > longest->time)) longest = Wait{node, time};
  }
  return longest;
}

}  // namespace capstan
