// Speed: examples a second over the last few seconds.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "common/event_loop.h"

namespace capstan {

class Speed {
 public:
  // Kept at most twice a second, for kWindow.
  void note(Instant now, std::uint64_t examples);
  double per_second() const;

 private:
  static constexpr std::chrono::milliseconds kStep{500};
  static constexpr std::chrono::seconds kWindow{10};
  std::deque<std::pair<Instant, std::uint64_t>> samples_;
};

}  // namespace capstan
