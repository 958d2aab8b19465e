#include "scheduler/direct_streams.h"

#include <algorithm>

#include "common/direct_stream.h"

namespace capstan {

std::optional<std::uint64_t> DirectStreams::term_of(NodeId holder) const {
  for (const auto& [term, stream] : open_) {
    if (stream.holder == holder) return term;
  }
  return std::nullopt;
}

bool DirectStreams::progress(NodeId holder, const WorkCursor& cursor) {
  const auto found = open_.find(cursor.term);
  if (found == open_.end() || found->second.holder != holder) return false;
  Stream& stream = found->second;
  stream.silent_since.reset();
  stream.watermark = std::max(stream.watermark, cursor.watermark);
  stream.slices = std::max(stream.slices, cursor.slices);
  return true;
}

void DirectStreams::release(NodeId holder, Instant now) {
  for (auto& [term, stream] : open_) {
    if (stream.holder == holder) stream.silent_since = now;
  }
}

std::vector<std::uint64_t> DirectStreams::silent_since(Instant then) const {
  std::vector<std::uint64_t> terms;
  for (const auto& [term, stream] : open_) {
    if (stream.silent_since.has_value() && *stream.silent_since <= then) terms.push_back(term);
  }
  return terms;
}

void DirectStreams::close(std::uint64_t term) {
  const auto closed = open_.extract(term);
  if (closed.empty()) return;
  closed_batches_ += closed.mapped().watermark;
  closed_slices_ += closed.mapped().slices;
  last_closed_ = std::max(last_closed_, term);
}

WorkCursor DirectStreams::cursor(std::uint64_t term) const {
  WorkCursor cursor;
  cursor.work = {kDirectWork, direct_pass_of(term), direct_partition_of(term), ""};
  cursor.term = term;
  if (const auto found = open_.find(term); found != open_.end()) {
    cursor.watermark = found->second.watermark;
    cursor.slices = found->second.slices;
  }
  return cursor;
}

std::uint64_t DirectStreams::batches() const {
  std::uint64_t sum = closed_batches_;
  for (const auto& [term, stream] : open_) sum += stream.watermark;
  return sum;
}

std::uint64_t DirectStreams::slices() const {
  std::uint64_t sum = closed_slices_;
  for (const auto& [term, stream] : open_) sum += stream.slices;
  return sum;
}

std::uint64_t DirectStreams::closed_below() const {
  if (!open_.empty()) return open_.begin()->first;
  return last_closed_ == 0 ? 0 : last_closed_ + 1;
}

void DirectStreams::take_in(const JournalRecord& record) {
  const auto direct = [](const WorkCursor& cursor) { return cursor.work.kind == kDirectWork; };
  if (const auto* reached = std::get_if<StateReached>(&record)) {
    if (reached->state == "restoring")
      *this = {};  // rows from before these streams, or without their holders
  } else if (const auto* granted = std::get_if<WorkGranted>(&record)) {
    if (direct(granted->cursor)) open(granted->worker, granted->cursor.term);
  } else if (const auto* cut = std::get_if<CutBegun>(&record)) {
    for (const WorkCursor& cursor : cut->cursors) {
      const auto found = open_.find(cursor.term);
      if (direct(cursor) && found != open_.end()) progress(found->second.holder, cursor);
    }
  } else if (const auto* finished = std::get_if<WorkFinished>(&record)) {
    if (!direct(finished->cursor)) return;
    progress(finished->worker, finished->cursor);
    close(finished->cursor.term);
  } else if (const auto* greeted = std::get_if<NodeGreeted>(&record)) {
    abandon(greeted->id);  // it is another process under that name, or the first
  }
}

}  // namespace capstan
