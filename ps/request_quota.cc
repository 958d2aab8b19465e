#include "ps/request_quota.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

RequestLimits RequestLimits::within(std::uint64_t memory_limit) const {
  constexpr std::uint64_t kPart = 8, kLeast = std::uint64_t{8} << 20;
  RequestLimits limits = *this;
  if (memory_limit > 0) limits.bytes = std::min(bytes, std::max(kLeast, memory_limit / kPart));
  return limits;
}

bool RequestQuota::fits(const Load& load, std::uint64_t bytes, RequestLimits limits, std::size_t parts) {
  const std::uint64_t requests_max = std::max<std::uint64_t>(limits.requests / parts, 1);
  return load.requests < requests_max && load.bytes + bytes <= limits.bytes / parts;
}

bool RequestQuota::take(PeerId from, std::uint64_t bytes, bool shared) {
  const auto found = of_peer_.find(from);
  const bool has_some = found != of_peer_.end();
  const bool room = fits(all_, bytes, limits_, 1);
  const bool within_share = !shared || !has_some || fits(found->second, bytes, limits_, of_peer_.size());
  const bool first = shared ? !has_some : all_.requests == 0;
  if (!first && !(room && within_share)) return false;
  Load& load = of_peer_[from];
  for (Load* each : {&load, &all_}) {
    ++each->requests;
    each->bytes += bytes;
  }
  return true;
}

void RequestQuota::give_back(PeerId from, std::uint64_t bytes) {
  const auto found = of_peer_.find(from);
  CAPSTAN_ASSERT(found != of_peer_.end(), "only what was taken is given back");
  for (Load* each : {&found->second, &all_}) {
    --each->requests;
    each->bytes -= bytes;
  }
  if (found->second.requests == 0) of_peer_.erase(found);
}

}  // namespace capstan
