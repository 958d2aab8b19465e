#include "sim/event_queue.h"

#include <algorithm>

#include "common/assert.h"
#include "common/hash.h"

namespace capstan {

bool EventQueue::later(const Entry& a, const Entry& b) {
  return a.at != b.at ? a.at > b.at : a.order > b.order;
}

NodeIndex EventQueue::add_node() {
  lives_.emplace_back();
  return static_cast<NodeIndex>(lives_.size() - 1);
}

void EventQueue::push(Instant at, std::uint32_t slot) {
  heap_.push_back(Entry{std::max(at, now_), order_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

EventQueue::EventId EventQueue::schedule(Instant at, NodeIndex owner, Action action) {
  if (owner != kWorld && !lives_[owner].up) return 0;
  CAPSTAN_ASSERT(action != nullptr, "an event does something");
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.action = std::move(action);
  slot.owner = owner;
  slot.life = owner == kWorld ? 0 : lives_[owner].number;
  push(at, index);
  return std::uint64_t{slot.generation} << 32 | index;
}

void EventQueue::cancel(EventId event) {
  const auto index = static_cast<std::uint32_t>(event);
  if (event == 0 || index >= slots_.size()) return;
  Slot& slot = slots_[index];
  if (slot.generation != event >> 32 || !slot.action) return;
  const Action dying = std::exchange(slot.action, nullptr);
  ++slot.generation;
  ++cancelled_;
  if (cancelled_ > 1024 && cancelled_ > heap_.size() / 2) compact();
}

void EventQueue::free_slot(std::uint32_t index) {
  ++slots_[index].generation;
  free_.push_back(index);
}

// Timers that are set and cancelled by the thousand (time-outs) would else fill the heap.
void EventQueue::compact() {
  const auto dead = [this](const Entry& entry) {
    if (slots_[entry.slot].action) return false;
    free_slot(entry.slot);
    return true;
  };
  std::erase_if(heap_, dead);
  std::make_heap(heap_.begin(), heap_.end(), later);
  cancelled_ = 0;
}

void EventQueue::end_life(NodeIndex node) {
  Life& life = lives_[node];
  life.up = false;
  ++life.number;
  life.paused_until = Instant{};
  // An action's captures may own objects whose destructors come back here: they are let go of last.
  std::vector<Action> dying;
  for (const auto slot : std::exchange(life.parked, {})) {
    dying.push_back(std::exchange(slots_[slot].action, nullptr));
    free_slot(slot);
  }
  for (auto& slot : slots_) {
    if (slot.owner != node || !slot.action) continue;
    dying.push_back(std::exchange(slot.action, nullptr));
    ++slot.generation;
    ++cancelled_;
  }
}

void EventQueue::begin_life(NodeIndex node) {
  lives_[node].up = true;
}

void EventQueue::pause(NodeIndex node, Duration duration) {
  Life& life = lives_[node];
  if (!life.up || now_ + duration <= life.paused_until) return;
  life.paused_until = now_ + duration;
  schedule(life.paused_until, kWorld, [this, node] { resume(node); });
}

void EventQueue::resume(NodeIndex node) {
  if (paused(node)) return;  // the pause was prolonged
  const auto parked = std::exchange(lives_[node].parked, {});
  for (const auto slot : parked) push(now_, slot);
}

bool EventQueue::run_next(Instant limit) {
  while (!heap_.empty() && heap_.front().at <= limit) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry entry = heap_.back();
    heap_.pop_back();
    now_ = entry.at;
    Slot& slot = slots_[entry.slot];
    if (!slot.action) {
      if (cancelled_ > 0) --cancelled_;
      free_slot(entry.slot);
      continue;
    }
    const NodeIndex owner = slot.owner;
    if (owner != kWorld && paused(owner)) {
      lives_[owner].parked.push_back(entry.slot);
      continue;
    }
    const Action action = std::exchange(slot.action, nullptr);
    free_slot(entry.slot);
    ++events_run_;
    trace(combine(static_cast<std::uint64_t>(now_.time_since_epoch().count()), owner));
    running_ = owner;
    action();
    running_ = kWorld;
    return true;
  }
  now_ = std::max(now_, limit);
  return false;
}

void EventQueue::trace(std::uint64_t value) {
  trace_hash_ = combine(trace_hash_, value);
}

}  // namespace capstan
