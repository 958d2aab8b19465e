// DirectStreams: which direct streams (common/direct_stream.h) are open, whose, and how far each has come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/event_loop.h"
#include "common/message.h"
#include "scheduler/journal.h"

namespace capstan {

// A stream is open from its grant until its holder closes it, or is gone. Pure: times and the journal are
// Job's.
class DirectStreams {
 public:
  struct Stream {
    NodeId holder = 0;
    std::uint64_t watermark = 0, slices = 0;  // as in its cursor
    std::optional<Instant> silent_since{};    // its holder's lease has ended
  };

  void open(NodeId holder, std::uint64_t term) { open_[term].holder = holder; }
  // The open stream of a process, which has one at most.
  std::optional<std::uint64_t> term_of(NodeId holder) const;
  // A report of where it stands; false: it is not open, or not this holder's. One that was silent goes on.
  bool progress(NodeId holder, const WorkCursor& cursor);
  void release(NodeId holder, Instant now);
  // Those whose holders will not be heard of: another process has their name.
  void abandon(NodeId holder) { release(holder, Instant::min()); }
  // Terms of streams that are silent since then or before.
  std::vector<std::uint64_t> silent_since(Instant then) const;
  void close(std::uint64_t term);

  WorkCursor cursor(std::uint64_t term) const;
  const std::map<std::uint64_t, Stream>& streams() const { return open_; }
  // Of all streams, closed ones too.
  std::uint64_t batches() const;
  std::uint64_t slices() const;
  // Streams of lower terms are closed, and shards may forget them; 0: there has been none.
  std::uint64_t closed_below() const;

  // As the journal tells.
  void take_in(const JournalRecord& record);

 private:
  std::map<std::uint64_t, Stream> open_;  // by term
  std::uint64_t closed_batches_ = 0, closed_slices_ = 0, last_closed_ = 0;
};

}  // namespace capstan
