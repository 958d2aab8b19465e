// TbbTaskPool: TaskPool as serial queues on threads of its own, which sleep while there is nothing to do.
// Tasks run inside a TBB arena, so that what they do in parallel has the pool's other threads' share. (Tasks
// enqueued in an arena may wait for ever while TBB's few threads idle in another pool's.)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/event_loop.h"
#include "common/task_pool.h"

namespace capstan {

// Tasks given to a lane that is at work are taken by it without waking a thread; tasks that finish close
// together come back to the loop through one post. Made and destroyed on the loop's thread; the loop must
// outlive it.
class TbbTaskPool final : public TaskPool {
 public:
  // REQUIRES: threads > 0, lanes > 0.
  TbbTaskPool(EventLoop& loop, std::uint32_t threads, std::uint32_t lanes);
  ~TbbTaskPool() override;

  std::uint32_t lanes() const override;
  void run(std::uint32_t lane, std::function<void()> work, std::function<void()> done) override;

  // Waits until all work given so far is done. From then on no `done` runs, and what is given is dropped.
  void finish();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace capstan
