#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace capstan {
namespace {

using std::chrono::seconds;

Instant at(std::int64_t microseconds) {
  return Instant(Duration(microseconds));
}

TEST(EventQueue, RunsInOrderOfTimeThenOfScheduling) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    EventQueue queue;
    std::vector<std::pair<std::int64_t, int>> expected, ran;
    std::vector<EventQueue::EventId> ids;
    for (int i = 0; i < 5000; ++i) {
      const auto time = static_cast<std::int64_t>(rng.below(500));
      expected.emplace_back(time, i);
      ids.push_back(queue.schedule(at(time), kWorld, [&ran, time, i] { ran.emplace_back(time, i); }));
    }
    // Cancels most of them, so that the heap is rebuilt on the way; twice and late cancels do nothing.
    std::erase_if(expected, [&](const auto& event) {
      const bool cancelled = rng.chance(0.8);
      if (cancelled) queue.cancel(ids[static_cast<std::size_t>(event.second)]);
      if (cancelled) queue.cancel(ids[static_cast<std::size_t>(event.second)]);
      return cancelled;
    });
    std::sort(expected.begin(), expected.end());
    while (queue.run_next(at(1000))) {
    }
    EXPECT_EQ(ran, expected) << "seed " << seed;
    EXPECT_EQ(queue.events_run(), expected.size());
    EXPECT_EQ(queue.now(), at(1000));
  }
}

TEST(EventQueue, ASlotUsedAgainIsNotCancelledByItsOldId) {
  EventQueue queue;
  int ran = 0;
  const auto first = queue.schedule(at(1), kWorld, [&] { ++ran; });
  while (queue.run_next(at(1))) {
  }
  queue.schedule(at(2), kWorld, [&] { ++ran; });
  queue.cancel(first);
  while (queue.run_next(at(2))) {
  }
  EXPECT_EQ(ran, 2);
}

TEST(EventQueue, EndingALifeLetsGoOfWhatItsEventsHeld) {
  EventQueue queue;
  const NodeIndex node = queue.add_node(), other = queue.add_node();
  const auto held = std::make_shared<int>(0);
  queue.schedule(at(5), node, [held] { ++*held; });
  queue.schedule(at(5), other, [held] { ++*held; });
  queue.pause(node, Duration(100));
  while (queue.run_next(at(10))) {  // the node's event is parked now
  }
  queue.schedule(at(20), node, [held] { ++*held; });
  EXPECT_EQ(held.use_count(), 3);
  queue.end_life(node);
  EXPECT_EQ(held.use_count(), 1);
  queue.begin_life(node);
  while (queue.run_next(at(1000))) {
  }
  EXPECT_EQ(*held, 1);
}

TEST(EventQueue, ALongerPauseWins) {
  EventQueue queue;
  const NodeIndex node = queue.add_node();
  Instant ran{};
  queue.schedule(at(5), node, [&] { ran = queue.now(); });
  queue.pause(node, Duration(50));
  queue.pause(node, Duration(80));
  queue.pause(node, Duration(10));
  while (queue.run_next(at(1000))) {
  }
  EXPECT_EQ(ran, at(80));
}

}  // namespace
}  // namespace capstan
