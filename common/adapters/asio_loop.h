// AsioLoop: EventLoop on Boost.Asio. The thread that calls run() is the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/event_loop.h"

namespace capstan {

// An exception that leaves a callback leaves run().
class AsioLoop final : public EventLoop {
 public:
  using WatchId = std::uint64_t;

  AsioLoop();
  ~AsioLoop() override;

  Instant now() const override;
  TimerId call_after(Duration delay, std::function<void()> callback) override;
  void cancel(TimerId timer) override;
  void post(std::function<void()> callback) override;

  // Runs callbacks until stop(). A stop() that came before ends it at once. May be called again.
  void run();
  // What runs now is finished first. Thread-safe.
  void stop();

  // SIGINT, SIGTERM, and SIGHUP unless the process was told to ignore that (nohup).
  static std::vector<int> ending_signals();
  // From now on these call `callback` on the loop instead of ending the process.
  void on_signal(std::function<void(int signal)> callback);

  // Calls `callback` on the loop each time `fd` is readable, until unwatch(). The descriptor stays the
  // caller's: it must be unwatched before it is closed.
  WatchId watch_readable(int fd, std::function<void()> callback);
  void unwatch(WatchId watch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace capstan
