// EventQueue: the one queue of a simulated world: what happens, when, and to whom.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "common/event_loop.h"

namespace capstan {

using NodeIndex = std::uint32_t;
constexpr NodeIndex kWorld = ~NodeIndex{0};  // owns what no crash or pause concerns

// Events run in order of (time, order of scheduling). An event belongs to a node's present life and never
// runs after it; a paused node's events run when the pause ends, in the order of their times.
class EventQueue {
 public:
  using EventId = std::uint64_t;  // 0 is none
  using Action = std::function<void()>;

  NodeIndex add_node();

  Instant now() const { return now_; }
  // 0, and nothing is scheduled, when the owner is down.
  EventId schedule(Instant at, NodeIndex owner, Action action);
  EventId schedule_after(Duration delay, NodeIndex owner, Action action) {
    return schedule(now_ + delay, owner, std::move(action));
  }
  void cancel(EventId event);

  bool up(NodeIndex node) const { return lives_[node].up; }
  std::uint64_t life(NodeIndex node) const { return lives_[node].number; }
  bool paused(NodeIndex node) const { return lives_[node].paused_until > now_; }
  void end_life(NodeIndex node);
  void begin_life(NodeIndex node);
  void pause(NodeIndex node, Duration duration);  // prolongs a pause, never shortens it

  // Runs the next event, and no event later than `limit`. False when there is none; then now() is `limit`.
  bool run_next(Instant limit);
  // The node whose event runs now; kWorld between events and within the world's.
  NodeIndex running() const { return running_; }

  std::uint64_t events_run() const { return events_run_; }
  // Of every event's time and owner, and of what was given to trace(): equal for equal histories.
  std::uint64_t trace_hash() const { return trace_hash_; }
  void trace(std::uint64_t value);

 private:
  struct Entry {
    Instant at;
    std::uint64_t order;
    std::uint32_t slot;
  };
  struct Slot {
    Action action;  // empty: cancelled or free
    std::uint64_t life = 0;
    std::uint32_t generation = 1;
    NodeIndex owner = kWorld;
  };
  struct Life {
    std::uint64_t number = 1;
    bool up = true;
    Instant paused_until{};
    std::vector<std::uint32_t> parked;  // slots that came due in the pause
  };

  static bool later(const Entry& a, const Entry& b);
  void push(Instant at, std::uint32_t slot);
  void free_slot(std::uint32_t slot);
  void resume(NodeIndex node);
  void compact();

  Instant now_{};
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Life> lives_;
  std::size_t cancelled_ = 0;  // entries of heap_ whose slot has no action any more
  std::uint64_t order_ = 0;
  std::uint64_t events_run_ = 0;
  std::uint64_t trace_hash_ = 0;
  NodeIndex running_ = kWorld;
};

}  // namespace capstan
