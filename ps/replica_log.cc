#include "ps/replica_log.h"

#include <algorithm>
#include <utility>

namespace capstan {
namespace {

constexpr std::uint64_t kHeadBytes = 256;  // about

std::uint64_t bytes_of(const ShardRecord& record) {
  return kHeadBytes + record.keys.size() + record.gradients.size() + record.blob.size();
}

}  // namespace

void ReplicaLog::begin(std::uint64_t position) {
  applied_ = position;
  leave(0, position);
}

// Changes the one after this member, who holds the records up to `from`.
void ReplicaLog::leave(NodeId node, std::uint64_t from) {
  after_ = node;
  sent_ = confirmed_ = from;
  ++round_;
  if (node == 0 || from == applied_) forget(kept_.size());
}

void ReplicaLog::forget(std::size_t records) {
  const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(records);
  for (auto each = kept_.begin(); each != end; ++each) kept_bytes_ -= bytes_of(*each);
  kept_.erase(kept_.begin(), end);
}

void ReplicaLog::follow(NodeId node) {
  const bool same = node == after_;
  const bool was_last = after_ == 0 || !counts_;  // a learner is no member
  counts_ = node != 0;
  if (same) return;
  // Where no member followed, the one that does now was handed the shard or handed it to us: it has what we
  // have. So it is too when we taught a learner: we may not have heard that it was given up before the
  // handover.
  leave(node, was_last || node == 0 ? applied_ : confirmed_);
}

void ReplicaLog::teach(NodeId learner) {
  counts_ = false;
  leave(learner, applied_);
}

void ReplicaLog::append(ShardRecord record) {
  record.head.position = ++applied_;
  if (after_ == 0) return;
  if (!counts_) {
    for (Buffer* part : {&record.keys, &record.gradients, &record.blob})
      *part = Buffer::copy_of(part->bytes());
  }
  kept_bytes_ += bytes_of(record);
  kept_.push_back(std::move(record));
}

void ReplicaLog::rewind(std::uint64_t round) {
  if (round != round_) return;
  sent_ = confirmed_;
  ++round_;
}

void ReplicaLog::confirm(std::uint64_t position) {
  if (position <= confirmed_ || position > applied_) return;
  forget(position - confirmed_);
  confirmed_ = position;
  sent_ = std::max(sent_, confirmed_);
}

std::vector<ReplicaLog::Then> ReplicaLog::take_ready() {
  std::vector<Then> ready;
  const std::uint64_t at = committed();
  std::erase_if(waiting_, [&](Waiting& each) {
    if (each.position > at) return false;
    ready.push_back(std::move(each.then));
    return true;
  });
  return ready;
}

std::vector<ReplicaLog::Then> ReplicaLog::drop() {
  std::vector<Then> dropped;
  for (Waiting& each : std::exchange(waiting_, {})) dropped.push_back(std::move(each.then));
  return dropped;
}

}  // namespace capstan
