// SnapshotPace: how fast a server goes from shard to shard when it makes a checkpoint. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/event_loop.h"

namespace capstan {

// A checkpoint is in no hurry while others are served, for they need the cores that it would take: then one
// shard goes after the other, at a rate that is set. When nobody asks for anything, as between two passes, it
// goes as fast as the disk.
class SnapshotPace {
 public:
  explicit SnapshotPace(std::uint64_t bytes_per_second)
      : bytes_per_second_(bytes_per_second) {}  // 0: no limit

  // `requests`: that the server has taken in so far.
  void begin(std::uint64_t requests);
  // A shard, whose rows are so many bytes, was begun with at `at`.
  void note(Instant at, std::uint64_t bytes);
  // A shard has been written: how long to wait before the next.
  Duration rest(Instant now, std::uint64_t requests);
  std::size_t shards_at_once() const { return busy_ ? 1 : 3; }

 private:
  std::uint64_t bytes_per_second_;
  std::uint64_t requests_ = 0;
  bool busy_ = true;
  Instant next_{};
};

}  // namespace capstan
