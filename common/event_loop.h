// EventLoop: time and timers, the first of the three seams between a node and the world.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace capstan {

// Time since an arbitrary start that goes on while the machine sleeps (CLOCK_BOOTTIME), or virtual time in
// sim/.
using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

using TimerId = std::uint64_t;

// Node logic runs on one loop, one callback at a time. All but post() are for the loop's own thread.
// A callback that captures an object must live only in something that object owns; see Timer.
class EventLoop {
 public:
  virtual ~EventLoop() = default;

  virtual Instant now() const = 0;
  virtual TimerId call_after(Duration delay, std::function<void()> callback) = 0;
  // Does nothing for a timer that has fired. Afterwards the callback never runs.
  virtual void cancel(TimerId timer) = 0;
  // Runs `callback` on the loop soon. Thread-safe.
  virtual void post(std::function<void()> callback) = 0;
};

// A timer that dies with its owner. start() replaces a running one.
class Timer {
 public:
  explicit Timer(EventLoop& loop) : loop_(loop) {}
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(Duration delay, std::function<void()> callback) {
    stop();
    running_ = true;
    id_ = loop_.call_after(delay, [this, callback = std::move(callback)] {
      running_ = false;
      callback();
    });
  }
  void stop() {
    if (running_) loop_.cancel(id_);
    running_ = false;
  }
  bool running() const { return running_; }

 private:
  EventLoop& loop_;
  TimerId id_ = 0;
  bool running_ = false;
};

}  // namespace capstan
