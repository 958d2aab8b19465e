#include "ps/copy_waits.h"

#include <algorithm>

namespace capstan {

void CopyWaits::look(Instant now) {
  notice_standstill(now);
  looked_ = now;
}

void CopyWaits::notice_standstill(Instant now) {
  if (looked_.has_value() && now - *looked_ > kStoodStill) counts_from_ = now;
}

void CopyWaits::answered(NodeId node, Instant sent_at, Instant now) {
  notice_standstill(now);
  Times& times = nodes_[node];
  if (const auto open = times.open.find(sent_at); open != times.open.end()) times.open.erase(open);
  if (now - times.period >= kPeriod) {
    times.longest_before = now - times.period < 2 * kPeriod ? times.longest : Duration(0);
    times.longest = Duration(0);
    times.period = now;
  }
  times.longest = std::max(times.longest, now - std::max(sent_at, counts_from_));
}

std::optional<CopyWaits::Wait> CopyWaits::longest(Instant now) const {
  std::optional<Wait> longest;
  for (const auto& [node, times] : nodes_) {
    Duration time(0);
    if (now - times.period < 2 * kPeriod) time = std::max(times.longest, times.longest_before);
    if (!times.open.empty()) time = std::max(time, now - std::max(*times.open.begin(), counts_from_));
    if (time > Duration(0) && (!longest.has_value() || time > longest->time)) longest = Wait{node, time};
  }
  return longest;
}

}  // namespace capstan
