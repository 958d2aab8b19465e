// ReplicaLog: one shard's records on their way down its chain, as one member's loop sees them. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "ps/shard.h"

namespace capstan {

// Positions count a shard's records from 1. A record is kept until the next member has confirmed it; without
// one none is kept. What is kept for a learner, which may be slow, is a copy that holds no message alive.
class ReplicaLog {
 public:
  using Then = std::function<void(bool committed)>;

  // The shard holds the records up to `position`, and nobody follows.
  void begin(std::uint64_t position);
  // The next member, 0: none. The one that was taught, or followed, before goes on as it was; another gets
  // again what the former one has not confirmed.
  void follow(NodeId node);
  // A learner has the shard as it is now: records from here on go to it, and nothing waits for it yet.
  void teach(NodeId learner);
  // From now on nothing is committed that the learner lacks, but for what has been already.
  void include() { counts_ = true; }

  NodeId after() const { return after_; }
  bool counts() const { return counts_; }
  std::uint64_t applied() const { return applied_; }
  std::uint64_t confirmed() const { return confirmed_; }
  std::uint64_t kept_bytes() const { return kept_bytes_; }
  // What this member and all after it hold.
  std::uint64_t committed() const { return after_ != 0 && counts_ ? confirmed_ : applied_; }

  // The next record has been applied here; append() keeps it for the one after.
  void advance() { ++applied_; }
  void append(ShardRecord record);

  bool has_unsent() const { return after_ != 0 && sent_ < applied_; }
  const ShardRecord& next_unsent() const { return kept_[sent_ - confirmed_]; }
  void mark_sent() { ++sent_; }
  // Each rewind begins a round: an answer about an earlier one must not cause a second.
  std::uint64_t round() const { return round_; }
  void rewind(std::uint64_t round);
  void confirm(std::uint64_t position);

  // `then` comes out of take_ready() once `position` is committed, or of drop() with what nobody waits for
  // any more.
  void when_committed(std::uint64_t position, Then then) { waiting_.push_back({position, std::move(then)}); }
  std::vector<Then> take_ready();
  std::vector<Then> drop();

 private:
  struct Waiting {
    std::uint64_t position;
    Then then;
  };

  void leave(NodeId node, std::uint64_t from);
  void forget(std::size_t records);  // the first

  NodeId after_ = 0;
  bool counts_ = false;
  std::uint64_t applied_ = 0, confirmed_ = 0, sent_ = 0, round_ = 0;
  std::deque<ShardRecord> kept_;  // confirmed_ + 1 .. applied_
  std::uint64_t kept_bytes_ = 0;
  std::deque<Waiting> waiting_;
};

}  // namespace capstan
