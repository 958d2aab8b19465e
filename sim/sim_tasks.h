// SimTasks: TaskPool whose every task, and every `done`, is an event of its own at a time the seed decides.
#pragma once

#include <vector>

#include "common/rng.h"
#include "common/task_pool.h"
#include "sim/event_queue.h"
#include "sim/options.h"

namespace capstan {

// A crash may fall before the work, between the work and its `done`, or after.
class SimTasks final : public TaskPool {
 public:
  SimTasks(EventQueue& queue, NodeIndex node, const TaskOptions& options, Rng rng);

  std::uint32_t lanes() const override { return static_cast<std::uint32_t>(free_at_.size()); }
  void run(std::uint32_t lane, std::function<void()> work, std::function<void()> done) override;

  // Each task given to the lane from now on takes up to so much longer.
  void slow_down(std::uint32_t lane, Duration most);
  // All tasks given from now on take so many times as long, in later lives too.
  void set_slowness(std::uint32_t times) { slowness_ = times; }
  // A new life: nothing waits in any lane.
  void reset();

 private:
  struct Lane {
    Instant worked, done;  // when the last task given so far has worked, has reported
    Duration slower{0};
  };
  Duration up_to(Duration most);

  EventQueue& queue_;
  NodeIndex node_;
  TaskOptions options_;
  std::uint32_t slowness_ = 1;
  Rng rng_;
  std::vector<Lane> free_at_;
};

}  // namespace capstan
