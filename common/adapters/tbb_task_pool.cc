#include "common/adapters/tbb_task_pool.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "common/assert.h"

namespace capstan {

struct TbbTaskPool::Impl : std::enable_shared_from_this<Impl> {
  struct Task {
    std::function<void()> work, done;
  };
  struct Lane {
    std::mutex mutex;
    std::deque<Task> waiting;
    bool working = false;
  };

  Impl(EventLoop& the_loop, std::uint32_t threads, std::uint32_t lane_count)
      : loop(the_loop),
        // Counts the thread that joins the arena. Of several such limits the lowest holds.
        parallelism(tbb::global_control::max_allowed_parallelism,
                    std::max(threads + 1, std::thread::hardware_concurrency())),
        arena(static_cast<int>(threads), std::min(threads, lane_count)),
        lanes(lane_count) {
    for (std::uint32_t i = 0; i < std::min(threads, lane_count); ++i) crew.emplace_back([this] { serve(); });
  }

  // Ends the threads once nothing is left to do.
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    for (std::thread& thread : crew) thread.join();
  }

  void give(Lane& lane, Task task) {
    {
      const std::lock_guard lock(lane.mutex);
      lane.waiting.push_back(std::move(task));
      if (std::exchange(lane.working, true)) return;
    }
    {
      const std::lock_guard lock(mutex);
      ++lanes_working;
      due.push_back(&lane);
    }
    wake.notify_one();
  }

  void serve() {
    while (true) {
      Lane* lane = nullptr;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !due.empty(); });
        if (due.empty()) return;
        lane = due.front();
        due.pop_front();
      }
      arena.execute([this, lane] { work_off(*lane); });
    }
  }

  void work_off(Lane& lane) {
    std::deque<Task> batch;
    while (true) {
      {
        const std::lock_guard lock(lane.mutex);
        if (lane.waiting.empty()) {
          lane.working = false;
          break;
        }
        batch.swap(lane.waiting);
      }
      for (auto& task : batch) {
        task.work();
        task.work = nullptr;
        report(std::move(task.done));
      }
      batch.clear();
    }
    const std::lock_guard lock(mutex);
    if (--lanes_working == 0) idle.notify_all();
  }

  void report(std::function<void()> done) {
    {
      const std::lock_guard lock(mutex);
      finished.push_back(std::move(done));
      if (std::exchange(posted, true)) return;
    }
    loop.post([weak = weak_from_this()] {
      if (const auto impl = weak.lock()) impl->deliver();
    });
  }

  void deliver() {
    std::vector<std::function<void()>> ready;
    {
      const std::lock_guard lock(mutex);
      posted = false;
      ready.swap(finished);
    }
    for (auto& done : ready) {
      if (closed) return;
      if (done) done();
    }
  }

  EventLoop& loop;
  tbb::global_control parallelism;
  tbb::task_arena arena;
  std::vector<Lane> lanes;
  bool closed = false;  // touched on the loop only

  std::mutex mutex;  // guards what follows
  std::condition_variable idle, wake;
  std::deque<Lane*> due;  // have tasks and no thread
  bool stopping = false;
  std::uint32_t lanes_working = 0;
  bool posted = false;
  std::vector<std::function<void()>> finished;
  std::vector<std::thread> crew;
};

TbbTaskPool::TbbTaskPool(EventLoop& loop, std::uint32_t threads, std::uint32_t lanes) {
  CAPSTAN_ASSERT(threads > 0 && lanes > 0, "a pool has a thread and a lane");
  impl_ = std::make_shared<Impl>(loop, threads, lanes);
}

TbbTaskPool::~TbbTaskPool() {
  finish();
}

void TbbTaskPool::finish() {
  impl_->closed = true;
  std::unique_lock lock(impl_->mutex);
  impl_->idle.wait(lock, [this] { return impl_->lanes_working == 0; });
  const auto dropped = std::exchange(impl_->finished, {});
  lock.unlock();
}

std::uint32_t TbbTaskPool::lanes() const {
  return static_cast<std::uint32_t>(impl_->lanes.size());
}

void TbbTaskPool::run(std::uint32_t lane, std::function<void()> work, std::function<void()> done) {
  CAPSTAN_ASSERT(lane < impl_->lanes.size(), "the lane exists");
  if (impl_->closed) return;
  impl_->give(impl_->lanes[lane], Impl::Task{std::move(work), std::move(done)});
}

}  // namespace capstan
