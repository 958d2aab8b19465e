// PushWindow: a shard's memory of which pushes it has applied. It makes every slice count exactly once,
// whatever is resent, by whom. Part of the shard: checkpointed, migrated and replicated with its rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "common/bytes.h"
#include "common/message.h"

namespace capstan {

// A stream is (pass, partition): the batches of one slice of a pass, in order, whoever holds its lease. A
// term is one holder's time. Sequences count batches from 1.
class PushWindow {
 public:
  // What to do with a slice: kOk (apply it, then record()), kDuplicate, kFenced or kGap. Takes note of a
  // higher term.
  //   term < the highest seen            -> kFenced
  //   sequence <= last applied           -> kDuplicate
  //   previous > last applied            -> kGap: an earlier batch of this term that touched the shard is
  //   missing
  SliceStatus check(std::uint32_t pass, std::uint32_t partition, std::uint64_t term, std::uint64_t sequence,
                    std::uint64_t previous);
  // The same of a slice that another replica has taken: a fence that was set here since does not concern it.
  SliceStatus check_taken(std::uint32_t pass, std::uint32_t partition, std::uint64_t term,
                          std::uint64_t sequence, std::uint64_t previous);
  void record(std::uint32_t pass, std::uint32_t partition, std::uint64_t sequence);

  std::uint64_t last(std::uint32_t pass, std::uint32_t partition) const;
  // The highest seen; 0: none.
  std::uint64_t term(std::uint32_t pass, std::uint32_t partition) const;
  // The lowest last() over partitions 0..slots-1 of a pass: the steps that every slot has reported.
  std::uint64_t clock(std::uint32_t pass, std::uint32_t slots) const;

  // The newest pass that any stream belongs to; 0 when there is none.
  std::uint32_t newest_pass() const { return streams_.empty() ? 0 : streams_.rbegin()->first.first; }

  // After a restore: whoever held a stream before it began from a watermark that holds no longer. Terms below
  // `term` are fenced, and so are all that this window has seen.
  void fence_before(std::uint64_t term);
  void fence_terms_below(std::uint64_t term) { fence_ = std::max(fence_, term); }
  // The lowest term that is not fenced whatever its stream.
  std::uint64_t fence() const { return fence_; }

  // Streams of passes below this one are finished in a published cut; their pushes are fenced from now on.
  // True when that is news.
  bool forget_below(std::uint32_t pass);
  // The same of direct streams (common/direct_stream.h) of lower terms, which are closed.
  bool forget_direct_below(std::uint64_t term);
  std::uint64_t direct_fence() const { return direct_fence_; }
  std::size_t streams() const { return streams_.size(); }  // remembered

  void save(ByteWriter& out) const;
  // Replaces everything but the fences; a failed reader leaves rubbish, and the caller must not use the
  // shard.
  void restore(ByteReader& in);
  bool operator==(const PushWindow&) const = default;

 private:
  struct Stream {
    std::uint64_t term = 0;
    std::uint64_t last = 0;
    bool operator==(const Stream&) const = default;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, Stream> streams_;
  std::uint32_t forgotten_below_ = 0;
  std::uint64_t fence_ = 0, direct_fence_ = 0;
};

}  // namespace capstan
