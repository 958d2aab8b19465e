// RequestQuota: how much a server has taken in and not answered, in all and of each peer. What is beyond it
// is told to come again.
#pragma once

#include <cstdint>
#include <map>

#include "common/transport.h"

namespace capstan {

struct RequestLimits {
  std::uint32_t requests = 4096;
  std::uint64_t bytes = 1ULL << 30;  // of frames, those of answers included

  // As much less as an eighth of the memory that rows may take; 0: they may take any.
  RequestLimits within(std::uint64_t memory_limit) const;
};

// Of the room each peer that has something here may take an equal part, so that one that asks for much does
// not keep others out; and any peer at least one request, however large.
class RequestQuota {
 public:
  explicit RequestQuota(RequestLimits limits) : limits_(limits) {}

  // False: there is no room for it. shared: by equal parts; else whoever comes first has it.
  bool take(PeerId from, std::uint64_t bytes, bool shared);
  void give_back(PeerId from, std::uint64_t bytes);
  std::uint32_t requests() const { return all_.requests; }
  std::uint64_t bytes() const { return all_.bytes; }
  // From now on; what has been taken in stays.
  void set_limits(RequestLimits limits) { limits_ = limits; }

 private:
  struct Load {
    std::uint32_t requests = 0;
    std::uint64_t bytes = 0;
  };
  static bool fits(const Load& load, std::uint64_t bytes, RequestLimits limits, std::size_t parts);

  RequestLimits limits_;
  Load all_;
  std::map<PeerId, Load> of_peer_;  // those that have something here
};

}  // namespace capstan
