#include "sim/sim_loop.h"

#include <algorithm>

namespace capstan {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
// Nothing takes no time at all, so that callbacks which post each other cannot stop the world's clock.
constexpr Duration kStep{1};

}  // namespace

SimLoop::SimLoop(EventQueue& queue, NodeIndex node, const SimOptions& options, Rng rng)
    : queue_(queue), node_(node), rng_(rng), late_max_(options.timer_late_max) {
  const auto bound = static_cast<std::uint64_t>(2 * options.drift_ppm_max + 1);
  drift_ppm_ = static_cast<std::int64_t>(rng_.below(bound)) - options.drift_ppm_max;
  offset_ = std::chrono::seconds(1) * static_cast<std::int64_t>(1 + rng_.below(100'000));
}

Instant SimLoop::local(Instant world) const {
  const Duration elapsed = world.time_since_epoch();
  return Instant(offset_ + elapsed + elapsed * drift_ppm_ / kMillion);
}

TimerId SimLoop::call_after(Duration delay, std::function<void()> callback) {
  const Instant due = now() + delay;
  Instant at = queue_.now() + std::max(kStep, delay * kMillion / (kMillion + drift_ppm_));
  while (local(at) < due) at += kStep;  // rounding never makes a timer early
  const auto late = static_cast<std::uint64_t>(late_max_.count());
  if (late > 0) at += Duration(static_cast<std::int64_t>(rng_.below(late + 1)));
  return queue_.schedule(at, node_, std::move(callback));
}

void SimLoop::post(std::function<void()> callback) {
  queue_.schedule_after(kStep, node_, std::move(callback));
}

}  // namespace capstan
