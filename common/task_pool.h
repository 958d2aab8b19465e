// TaskPool: where heavy work goes so that the loop stays free. Part of the EventLoop seam.
#pragma once

#include <cstdint>
#include <functional>

namespace capstan {

// Tasks of one lane run one at a time, in the order they were given; lanes run side by side.
// In production a lane is a serial queue on a TBB arena; in sim/ each task is an event whose time the seed
// decides.
class TaskPool {
 public:
  virtual ~TaskPool() = default;

  // Production: about the number of threads. sim/: as many as asked for, so that every shard is on its own.
  virtual std::uint32_t lanes() const = 0;

  // `work` runs off the loop; then `done` runs on the loop. Called from the loop's thread only.
  // Tasks given before the pool is destroyed finish before it; their `done` may then never run.
  virtual void run(std::uint32_t lane, std::function<void()> work, std::function<void()> done) = 0;
};

}  // namespace capstan
