// drive(): runs a real loop until something holds, for tests of the production adapters.
#pragma once

#include <functional>

#include "common/adapters/asio_loop.h"

namespace capstan {

// False when `limit` passes first. The limit only ends a test that has failed already.
inline bool drive(AsioLoop& loop, const std::function<bool()>& holds,
                  Duration limit = std::chrono::seconds(30)) {
  const Instant end = loop.now() + limit;
  bool held = false;
  std::function<void()> look = [&] {
    held = holds();
    if (held || loop.now() >= end) return loop.stop();
    loop.call_after(std::chrono::milliseconds(1), look);
  };
  loop.post(look);
  loop.run();
  return held;
}

}  // namespace capstan
