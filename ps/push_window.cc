#include "ps/push_window.h"

#include <algorithm>

#include "common/assert.h"
#include "common/direct_stream.h"
#include "common/planted_bugs.h"

namespace capstan {

SliceStatus PushWindow::check(std::uint32_t pass, std::uint32_t partition, std::uint64_t term,
                              std::uint64_t sequence, std::uint64_t previous) {
  if (term < fence_ && !CAPSTAN_PLANTED(kTermsNotFenced)) return SliceStatus::kFenced;
  return check_taken(pass, partition, term, sequence, previous);
}

SliceStatus PushWindow::check_taken(std::uint32_t pass, std::uint32_t partition, std::uint64_t term,
                                    std::uint64_t sequence, std::uint64_t previous) {
  const bool fences = !CAPSTAN_PLANTED(kTermsNotFenced);
  if (fences && pass < forgotten_below_) return SliceStatus::kFenced;
  const bool closed = is_direct(pass) && term < direct_fence_;
  if (fences && closed && !CAPSTAN_PLANTED(kClosedStreamsComeBack)) return SliceStatus::kFenced;
  Stream& stream = streams_[{pass, partition}];
  if (fences && term < stream.term) return SliceStatus::kFenced;
  stream.term = term;
  if (sequence <= stream.last && !CAPSTAN_PLANTED(kDuplicatesApplied)) return SliceStatus::kDuplicate;
  const bool gap = previous > stream.last && !CAPSTAN_PLANTED(kGapsAccepted);
  return gap ? SliceStatus::kGap : SliceStatus::kOk;
}

void PushWindow::record(std::uint32_t pass, std::uint32_t partition, std::uint64_t sequence) {
  Stream& stream = streams_[{pass, partition}];
  CAPSTAN_ASSERT(sequence > stream.last || CAPSTAN_PLANTED(kDuplicatesApplied),
                 "a push is recorded once, in order");
  stream.last = sequence;
}

std::uint64_t PushWindow::last(std::uint32_t pass, std::uint32_t partition) const {
  const auto found = streams_.find({pass, partition});
  return found == streams_.end() ? 0 : found->second.last;
}

std::uint64_t PushWindow::term(std::uint32_t pass, std::uint32_t partition) const {
  const auto found = streams_.find({pass, partition});
  return found == streams_.end() ? 0 : found->second.term;
}

std::uint64_t PushWindow::clock(std::uint32_t pass, std::uint32_t slots) const {
  std::uint64_t lowest = slots == 0 ? 0 : ~0ULL;
  for (std::uint32_t slot = 0; slot < slots; ++slot) lowest = std::min(lowest, last(pass, slot));
  return lowest;
}

void PushWindow::fence_before(std::uint64_t term) {
  fence_terms_below(term);
  for (const auto& [id, stream] : streams_) fence_ = std::max(fence_, stream.term + 1);
}

bool PushWindow::forget_below(std::uint32_t pass) {
  if (pass <= forgotten_below_) return false;
  forgotten_below_ = pass;
  streams_.erase(streams_.begin(), streams_.lower_bound({forgotten_below_, 0}));
  return true;
}

bool PushWindow::forget_direct_below(std::uint64_t term) {
  if (term <= direct_fence_) return false;
  direct_fence_ = term;
  streams_.erase(streams_.lower_bound({kDirectPasses, 0}),
                 streams_.lower_bound({direct_pass_of(term), direct_partition_of(term)}));
  return true;
}

void PushWindow::save(ByteWriter& out) const {
  out.put(forgotten_below_);
  out.put(static_cast<std::uint64_t>(streams_.size()));
  for (const auto& [id, stream] : streams_) {
    out.put(id.first);
    out.put(id.second);
    out.put(stream.term);
    out.put(stream.last);
  }
}

void PushWindow::restore(ByteReader& in) {
  streams_.clear();
  forgotten_below_ = in.get<std::uint32_t>();
  const auto count = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const auto pass = in.get<std::uint32_t>();
    const auto partition = in.get<std::uint32_t>();
    Stream& stream = streams_[{pass, partition}];
    stream.term = in.get<std::uint64_t>();
    stream.last = in.get<std::uint64_t>();
  }
}

}  // namespace capstan
