// SimLoop: one node's view of the world's queue and of time.
#pragma once

#include "common/event_loop.h"
#include "common/rng.h"
#include "sim/event_queue.h"
#include "sim/options.h"

namespace capstan {

// Of a node that is down, every call does nothing. Two nodes' clocks start apart and may run at different
// speeds.
class SimLoop final : public EventLoop {
 public:
  SimLoop(EventQueue& queue, NodeIndex node, const SimOptions& options, Rng rng);

  Instant now() const override { return local(queue_.now()); }
  TimerId call_after(Duration delay, std::function<void()> callback) override;
  void cancel(TimerId timer) override { queue_.cancel(timer); }
  void post(std::function<void()> callback) override;

  std::int64_t drift_ppm() const { return drift_ppm_; }

 private:
  Instant local(Instant world) const;

  EventQueue& queue_;
  NodeIndex node_;
  Rng rng_;
  Duration late_max_;
  std::int64_t drift_ppm_ = 0;
  Duration offset_{};
};

}  // namespace capstan
