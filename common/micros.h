// A point of a loop's time as a number, for messages.
#pragma once

#include <cstdint>

#include "common/event_loop.h"

namespace capstan {

// Microseconds since the loop's clock began.
inline std::int64_t micros(Instant at) {
  static_assert(Duration::period::den == 1'000'000);
  return at.time_since_epoch().count();
}

}  // namespace capstan
