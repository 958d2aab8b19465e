#include "cli/held_signals.h"

#include <pthread.h>

#include "common/adapters/asio_loop.h"

namespace capstan {

namespace {

sigset_t those_that_end() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : AsioLoop::ending_signals()) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

HeldSignals::HeldSignals() {
  const sigset_t held = those_that_end();
  pthread_sigmask(SIG_BLOCK, &held, &before_);
}

void HeldSignals::release() {
  if (holding_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  holding_ = false;
}

bool HeldSignals::take(Duration patience) {
  const sigset_t ends = those_that_end();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(patience - seconds);
  const timespec limit{seconds.count(), rest.count()};
  return sigtimedwait(&ends, nullptr, &limit) > 0;
}

}  // namespace capstan
