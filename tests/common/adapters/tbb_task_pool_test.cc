#include "common/adapters/tbb_task_pool.h"

#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <thread>

#include "tests/common/adapters/drive.h"

namespace capstan {
namespace {

TEST(TbbTaskPool, EachLaneRunsItsTasksInOrderOneAtATime) {
  AsioLoop loop;
  constexpr std::uint32_t kLanes = 7;
  constexpr int kTasks = 2000;
  TbbTaskPool pool(loop, 3, kLanes);
  EXPECT_EQ(pool.lanes(), kLanes);
  std::vector<std::vector<int>> worked(kLanes), done(kLanes);  // a lane's entry is touched without a lock
  std::vector<std::atomic<int>> inside(kLanes);
  std::atomic<bool> overlap = false;
  int finished = 0;
  for (int i = 0; i < kTasks; ++i) {
    for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
      pool.run(
          lane,
          [&, lane, i] {
            if (inside[lane].fetch_add(1) != 0) overlap = true;
            worked[lane].push_back(i);
            inside[lane].fetch_sub(1);
          },
          [&, lane, i] {
            done[lane].push_back(i);
            ++finished;
          });
    }
  }
  ASSERT_TRUE(drive(loop, [&] { return finished == kTasks * static_cast<int>(kLanes); }));
  EXPECT_FALSE(overlap);
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
    ASSERT_EQ(worked[lane].size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(worked[lane].begin(), worked[lane].end()));
    EXPECT_EQ(worked[lane], done[lane]);
  }
}

// A server computes in one pool and writes its checkpoints in another.
TEST(TbbTaskPool, AnIdlePoolHoldsUpNoOther) {
  AsioLoop loop;
  TbbTaskPool first(loop, 1, 1), second(loop, 1, 1);
  int done = 0;
  for (int round = 0; round < 200; ++round) {
    first.run(
        0, [] {}, [&] { ++done; });
    second.run(
        0, [] {}, [&] { ++done; });
    ASSERT_TRUE(drive(loop, [&] { return done == 2 * (round + 1); })) << round;
  }
}

TEST(TbbTaskPool, LanesRunSideBySide) {
  AsioLoop loop;
  TbbTaskPool pool(loop, 2, 2);
  std::atomic<int> arrived = 0;
  int done = 0;
  // Each task waits for the other: on one thread they would never end.
  const auto meet = [&] {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  };
  pool.run(0, meet, [&] { ++done; });
  pool.run(1, meet, [&] { ++done; });
  EXPECT_TRUE(drive(loop, [&] { return done == 2; }));
}

TEST(TbbTaskPool, WorkLeavesTheLoopsThreadAndDoneComesBackToIt) {
  AsioLoop loop;
  TbbTaskPool pool(loop, 1, 1);
  std::thread::id work_thread, done_thread;
  bool done = false;
  pool.run(
      0, [&] { work_thread = std::this_thread::get_id(); },
      [&] {
        done_thread = std::this_thread::get_id();
        done = true;
      });
  ASSERT_TRUE(drive(loop, [&] { return done; }));
  EXPECT_NE(work_thread, std::this_thread::get_id());
  EXPECT_EQ(done_thread, std::this_thread::get_id());
}

TEST(TbbTaskPool, DestructionFinishesTheWorkAndDropsTheDones) {
  AsioLoop loop;
  std::atomic<int> worked = 0;
  int done = 0;
  {
    TbbTaskPool pool(loop, 2, 3);
    for (std::uint32_t i = 0; i < 300; ++i)
      pool.run(
          i % 3, [&] { ++worked; }, [&] { ++done; });
  }
  EXPECT_EQ(worked, 300);
  bool end = false;
  loop.post([&] { end = true; });
  ASSERT_TRUE(drive(loop, [&] { return end; }));
  EXPECT_EQ(done, 0);
}

TEST(TbbTaskPool, DoneMayGiveMoreTasksAndDestroyThePool) {
  AsioLoop loop;
  auto pool = std::make_unique<TbbTaskPool>(loop, 2, 2);
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds == 50) return pool.reset();
    pool->run(
        static_cast<std::uint32_t>(rounds % 2), [] {}, again);
    pool->run(
        static_cast<std::uint32_t>((rounds + 1) % 2), [] {}, nullptr);
  };
  pool->run(
      0, [] {}, again);
  EXPECT_TRUE(drive(loop, [&] { return rounds == 50 && !pool; }));
}

TEST(TbbTaskPool, AnIdlePoolUsesNoProcessor) {
  AsioLoop loop;
  TbbTaskPool pool(loop, 4, 8);
  int done = 0;
  for (std::uint32_t lane = 0; lane < 8; ++lane)
    pool.run(
        lane, [] {}, [&] { ++done; });
  ASSERT_TRUE(drive(loop, [&] { return done == 8; }));
  const auto used = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  std::this_thread::sleep_for(
      std::chrono::milliseconds(100));  // workers look for work a little before they sleep
  const double before = used();
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  EXPECT_LT(used() - before, 0.1);  // a single spinning thread would use 0.4 s
}

}  // namespace
}  // namespace capstan
