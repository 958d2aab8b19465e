// Stragglers: how fast workers get through their training items, and whose item shall be split because
// another worker has nothing to do. Pure. async only, where a worker holds one item at a time.
//
// An item is split when all of this holds:
//   * at its pace the holder needs two seconds or more for what is left of it,
//   * the idle worker would need at most half of that,
//   * a segment of it (common/segments.h) has not been begun, as far as is known.
// The end is wished for where both would come to theirs at the same time. An idle worker whose pace is not
// known is taken to be as fast as the fastest that is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "common/event_loop.h"
#include "scheduler/work_list.h"

namespace capstan {

class Stragglers {
 public:
  void on_grant(NodeId worker, const WorkGrant& grant, Instant now);
  void on_report(NodeId worker, const WorkCursor& cursor, Instant now);
  // Batches a second, over the last two to four seconds of its training.
  std::optional<double> pace(NodeId worker) const;

  struct Wish {
    WorkId work;
    std::uint64_t term = 0;
    std::uint64_t end = 0;  // the holder shall leave the batches from here on
    NodeId idle = 0;        // for whom
    Instant until{};        // then it lapses: the holder has not answered, or could leave nothing
  };
  // Whose item shall be split for `idle`; nothing as long as an earlier wish for it stands. O(items held).
  std::optional<Wish> choose(const WorkList& work, NodeId idle, Instant now);
  // Where the item of this cursor is wished to end; 0: there is no wish.
  std::uint64_t wished_end(const WorkCursor& cursor, Instant now) const;
  void was_split(const WorkId& work) { wishes_.erase(work); }

 private:
  struct Mark {
    Instant at{};
    std::uint64_t watermark = 0;
  };
  struct Pace {
    WorkId work;
    std::uint64_t term = 0;
    Mark old, young;
    std::optional<double> per_second;
  };

  std::optional<double> fastest() const;
  std::optional<Wish> wish_for(const WorkEntry& entry, NodeId holder, double idle_pace, double& alone) const;

  std::map<NodeId, Pace> paces_;
  std::map<WorkId, Wish> wishes_;
};

}  // namespace capstan
