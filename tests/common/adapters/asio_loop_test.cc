#include "common/adapters/asio_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/common/adapters/drive.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;

TEST(AsioLoop, TimersFireInOrderOfTheirTimeAndNotEarly) {
  AsioLoop loop;
  const Instant start = loop.now();
  std::vector<int> fired;
  std::vector<Duration> after;
  const auto note = [&](int which) {
    fired.push_back(which);
    after.push_back(loop.now() - start);
  };
  loop.call_after(milliseconds(20), [&] { note(20); });
  loop.call_after(milliseconds(10), [&] { note(10); });
  loop.call_after(milliseconds(0), [&] { note(0); });
  ASSERT_TRUE(drive(loop, [&] { return fired.size() == 3; }));
  EXPECT_EQ(fired, (std::vector<int>{0, 10, 20}));
  EXPECT_GE(after[1], milliseconds(10));
  EXPECT_GE(after[2], milliseconds(20));
}

TEST(AsioLoop, CancelledTimerNeverFires) {
  AsioLoop loop;
  bool late = false, second = false;
  const TimerId timer = loop.call_after(milliseconds(1), [&] { late = true; });
  loop.cancel(timer);
  loop.cancel(timer);
  // Both are due when the first runs: the second is queued already, cancelling must still hold it back.
  TimerId victim = 0;
  loop.post([&] {
    loop.call_after(milliseconds(1), [&] { loop.cancel(victim); });
    victim = loop.call_after(milliseconds(1), [&] { second = true; });
    std::this_thread::sleep_for(milliseconds(5));
  });
  bool end = false;
  loop.call_after(milliseconds(20), [&] { end = true; });
  ASSERT_TRUE(drive(loop, [&] { return end; }));
  EXPECT_FALSE(late);
  EXPECT_FALSE(second);
}

TEST(AsioLoop, PostsFromOtherThreadsAllRunOnTheLoop) {
  AsioLoop loop;
  int count = 0;  // unguarded: only the loop's thread may touch it
  std::thread::id loop_thread = std::this_thread::get_id();
  bool elsewhere = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        loop.post([&] {
          ++count;
          elsewhere |= std::this_thread::get_id() != loop_thread;
        });
      }
    });
  }
  EXPECT_TRUE(drive(loop, [&] { return count == 4000; }));
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(elsewhere);
}

TEST(AsioLoop, StopBeforeRunEndsItAndItCanRunAgain) {
  AsioLoop loop;
  loop.stop();
  loop.run();
  bool ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(AsioLoop, TimerOwnedByADeadObjectNeverFires) {
  AsioLoop loop;
  bool fired = false, end = false;
  {
    Timer timer(loop);
    timer.start(milliseconds(1), [&] { fired = true; });
  }
  loop.call_after(milliseconds(10), [&] { end = true; });
  ASSERT_TRUE(drive(loop, [&] { return end; }));
  EXPECT_FALSE(fired);
}

TEST(AsioLoop, WhatCallbacksOwnMayCancelTimersWhileTheLoopIsDestroyed) {
  auto loop = std::make_unique<AsioLoop>();
  const auto owned = [&] {
    auto timer = std::make_shared<Timer>(*loop);
    timer->start(milliseconds(1000), [] {});
    return timer;
  };
  loop->post([held = owned()] {});
  loop->call_after(milliseconds(1000), [held = owned()] {});
  loop->call_after(milliseconds(1000), [held = owned()] {});
  loop.reset();  // a sanitizer sees what would go wrong
}

TEST(AsioLoop, SignalsBecomeCallbacks) {
  std::signal(SIGHUP, SIG_DFL);  // these tests may be running under nohup
  AsioLoop loop;
  std::vector<int> signals;
  loop.on_signal([&](int signal) { signals.push_back(signal); });
  std::raise(SIGTERM);
  ASSERT_TRUE(drive(loop, [&] { return signals.size() == 1; }));
  std::raise(SIGINT);
  ASSERT_TRUE(drive(loop, [&] { return signals.size() == 2; }));
  std::raise(SIGHUP);
  ASSERT_TRUE(drive(loop, [&] { return signals.size() == 3; }));
  EXPECT_EQ(signals, (std::vector<int>{SIGTERM, SIGINT, SIGHUP}));
}

TEST(AsioLoop, UnderNohupAClosedTerminalIsNoReasonToEnd) {
  std::signal(SIGHUP, SIG_IGN);
  AsioLoop loop;
  std::vector<int> signals;
  loop.on_signal([&](int signal) { signals.push_back(signal); });
  std::raise(SIGHUP);
  std::raise(SIGTERM);
  EXPECT_TRUE(drive(loop, [&] { return !signals.empty(); }));
  EXPECT_EQ(signals, (std::vector<int>{SIGTERM}));
  std::signal(SIGHUP, SIG_DFL);
}

TEST(AsioLoop, WatchesADescriptorUntilTold) {
  AsioLoop loop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "ab", 2), 2);  // readable before it is watched
  std::string read_so_far;
  AsioLoop::WatchId watch = 0;
  watch = loop.watch_readable(ends[0], [&] {
    char c = 0;
    ASSERT_EQ(read(ends[0], &c, 1), 1);  // one byte a call: what is left must be reported again
    read_so_far += c;
    if (read_so_far.size() == 3) loop.unwatch(watch);
  });
  ASSERT_TRUE(drive(loop, [&] { return read_so_far == "ab"; }));
  ASSERT_EQ(write(ends[1], "cd", 2), 2);
  ASSERT_TRUE(drive(loop, [&] { return read_so_far.size() == 3; }));
  bool end = false;
  loop.call_after(milliseconds(10), [&] { end = true; });
  ASSERT_TRUE(drive(loop, [&] { return end; }));
  EXPECT_EQ(read_so_far, "abc");
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace capstan
