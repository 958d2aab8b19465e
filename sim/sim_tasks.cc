#include "sim/sim_tasks.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

SimTasks::SimTasks(EventQueue& queue, NodeIndex node, const TaskOptions& options, Rng rng)
    : queue_(queue), node_(node), options_(options), rng_(rng), free_at_(options.lanes) {}

void SimTasks::reset() {
  for (Lane& lane : free_at_) lane = {{}, {}, lane.slower};
}

void SimTasks::slow_down(std::uint32_t lane, Duration most) {
  free_at_.at(lane).slower = most;
}

Duration SimTasks::up_to(Duration most) {
  return Duration(static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(most.count()) + 1)));
}

void SimTasks::run(std::uint32_t lane, std::function<void()> work, std::function<void()> done) {
  CAPSTAN_ASSERT(lane < free_at_.size(), "the lane exists");
  constexpr Duration kStep{1};
  Lane& free = free_at_[lane];
  const Duration cost = (options_.work_min + up_to(options_.work_max - options_.work_min)) * slowness_;
  const Duration slower = free.slower > Duration(0) ? up_to(free.slower) : Duration(0);
  free.worked = std::max(queue_.now(), free.worked) + std::max(kStep, cost) + slower;
  free.done = std::max(free.done, free.worked + up_to(options_.done_max)) + kStep;
  if (work) queue_.schedule(free.worked, node_, std::move(work));
  if (done) queue_.schedule(free.done, node_, std::move(done));
}

}  // namespace capstan
