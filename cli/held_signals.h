// HeldSignals: while it lives SIGINT, SIGTERM and SIGHUP wait instead of ending the process, so that a start
// does not leave half a cluster behind. They are delivered at release() or at its end. For the main thread,
// before there are others; a child process has to unblock them for itself.
#pragma once

#include <csignal>

#include "common/event_loop.h"

namespace capstan {

class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  void release();

  // Whether one has come, or comes within `patience`; if so it is taken, and not delivered any more.
  static bool take(Duration patience = Duration(0));

 private:
  sigset_t before_{};
  bool holding_ = true;
};

}  // namespace capstan
