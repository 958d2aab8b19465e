#include "scheduler/work_list.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

namespace {

std::uint64_t end_of(const WorkCursor& cursor) {
  return cursor.end == 0 ? cursor.batches : cursor.end;
}

}  // namespace

WorkTotals totals_of(const WorkCursor& cursor) {
  return {cursor.examples, cursor.bad_batches, cursor.loss_sum, cursor.slices};
}

WorkCursor WorkEntry::cursor() const {
  WorkCursor cursor;
  cursor.work = work;
  cursor.term = term;
  cursor.watermark = watermark;
  cursor.examples = before.examples + term_totals.examples;
  cursor.loss_sum = before.loss_sum + term_totals.loss_sum;
  cursor.batches = batches;
  cursor.bad_batches = before.bad_batches + term_totals.bad_batches;
  cursor.slices = before.slices + term_totals.slices;
  cursor.end = end;
  return cursor;
}

void WorkList::clear() {
  entries_.clear();
  free_.clear();
  held_.clear();
  totals_ = {};
  watermark_sum_ = batches_sum_ = 0;
  done_ = sized_ = rests_ = 0;
}

void WorkList::add(WorkId work, std::uint32_t num_partitions, std::vector<Buffer> inputs) {
  WorkEntry entry;
  entry.work = work;
  entry.num_partitions = num_partitions;
  entry.inputs = std::move(inputs);
  const bool added = entries_.emplace(work, std::move(entry)).second;
  CAPSTAN_ASSERT(added, "an item is added once");
  free_.insert(std::move(work));
}

void WorkList::recover(const WorkCursor& cursor, const WorkTotals& before, NodeId holder, bool done) {
  const std::uint32_t partitions = entries_.empty() ? 0 : entries_.begin()->second.num_partitions;
  const bool is_rest = cursor.work.partition >= partitions && cursor.batches != 0 && partitions != 0;
  if (is_rest && !entries_.contains(cursor.work)) {
    add(cursor.work, partitions);
    ++rests_;
  }
  const auto found = entries_.find(cursor.work);
  if (found == entries_.end()) return;
  WorkEntry& entry = found->second;
  CAPSTAN_ASSERT(entry.term == 0 && !entry.done && entry.holder == 0, "an item is put back once");
  entry.term = cursor.term;
  entry.before = before;
  entry.term_totals = {cursor.examples - before.examples, cursor.bad_batches - before.bad_batches,
                       cursor.loss_sum - before.loss_sum, cursor.slices - before.slices};
  if (is_rest) entry.first = first_batch_of_stream(cursor.work.partition, partitions, cursor.batches);
  entry.watermark = std::max(cursor.watermark, entry.first);
  set_size(entry, cursor.batches, end_of(cursor));
  watermark_sum_ += entry.watermark - entry.first;
  totals_.examples += cursor.examples;
  totals_.bad_batches += cursor.bad_batches;
  totals_.loss_sum += cursor.loss_sum;
  totals_.slices += cursor.slices;
  entry.last_holder = holder;
  if (done) {
    entry.done = true;
    ++done_;
    free_.erase(entry.work);
  } else if (holder != 0) {
    entry.holder = holder;  // unconfirmed: perhaps the grant never left
    held_[holder].push_back(entry.work);
    free_.erase(entry.work);
  }
}

std::optional<WorkList::Granted> WorkList::grant(NodeId worker, std::uint32_t held, std::uint32_t hold_max) {
  const auto make = [](const WorkEntry& entry) {
    return WorkGrant{entry.work, entry.num_partitions, entry.term, entry.watermark,
                     0,          entry.inputs,         entry.end};
  };
  const auto found = held_.find(worker);
  const std::size_t known = found == held_.end() ? 0 : found->second.size();
  if (held < known) {
    const WorkEntry* lost = newest_unconfirmed(found->second);
    if (lost != nullptr) return Granted{make(*lost), true};
  }
  if (std::max<std::size_t>(held, known) >= hold_max || free_.empty()) return std::nullopt;
  WorkEntry& entry = entries_.at(*free_.begin());
  free_.erase(free_.begin());
  entry.before = totals_of(entry.cursor());
  entry.term = ++last_term_;
  entry.holder = entry.last_holder = worker;
  entry.confirmed = false;
  entry.term_totals = {};
  held_[worker].push_back(entry.work);
  return Granted{make(entry), false};
}

// Not simply the last that it got: items that it took back after a pause stand behind it.
const WorkEntry* WorkList::newest_unconfirmed(const std::vector<WorkId>& items) const {
  const WorkEntry* newest = nullptr;
  for (const WorkId& work : items) {
    const WorkEntry& entry = entries_.at(work);
    if (!entry.confirmed && (newest == nullptr || entry.term > newest->term)) newest = &entry;
  }
  return newest;
}

bool WorkList::progress(NodeId worker, const WorkCursor& cursor) {
  WorkEntry* entry = mine(worker, cursor);
  if (entry == nullptr || entry->done) return false;
  account(*entry, cursor);
  return true;
}

std::optional<WorkSplit> WorkList::split_said(NodeId worker, const WorkCursor& cursor) const {
  const WorkEntry* entry = find(cursor.work);
  if (entry == nullptr || entry->done || !is_of(worker, *entry, cursor)) return std::nullopt;
  const std::uint64_t batches = entry->batches == 0 ? cursor.batches : entry->batches;
  const std::uint64_t before = entry->end == 0 ? batches : entry->end, end = end_of(cursor);
  const bool shorter = entry->work.kind == kTrainWork && end < before;
  const bool possible = end > entry->first && Segments(batches).next_begin(end) == end;
  if (!shorter || !possible) return std::nullopt;
  return split_at(*entry, end, batches);
}

WorkSplit WorkList::split_at(const WorkEntry& entry, std::uint64_t end, std::uint64_t batches) const {
  WorkSplit split{entry.cursor(), {}};
  split.kept.end = end;
  split.kept.batches = split.rest.batches = batches;
  split.rest.work = entry.work;
  split.rest.work.partition = Segments(batches).stream(entry.partition(), entry.num_partitions, end);
  split.rest.watermark = end;
  split.rest.end = entry.end == 0 ? batches : entry.end;
  return split;
}

void WorkList::split(const WorkSplit& split) {
  WorkEntry& entry = entries_.at(split.kept.work);
  set_size(entry, split.kept.batches, split.rest.end);
  batches_sum_ -= entry.end - split.kept.end;
  entry.end = split.kept.end;
  recover(split.rest, {}, 0, false);
}

bool WorkList::finish(NodeId worker, const WorkCursor& cursor, Buffer result) {
  WorkEntry* entry = mine(worker, cursor);
  if (entry == nullptr) return false;
  if (entry->done) return true;
  account(*entry, cursor);
  drop_holder(*entry);
  entry->done = true;
  entry->result = std::move(result);
  entry->inputs.clear();
  ++done_;
  return true;
}

std::size_t WorkList::release(NodeId worker) {
  const auto found = held_.find(worker);
  if (found == held_.end()) return 0;
  const std::vector<WorkId> items = std::move(found->second);
  held_.erase(found);
  for (const WorkId& work : items) {
    entries_.at(work).holder = 0;
    free_.insert(work);
  }
  return items.size();
}

std::size_t WorkList::held_by(NodeId worker) const {
  const auto found = held_.find(worker);
  return found == held_.end() ? 0 : found->second.size();
}

const WorkEntry* WorkList::find(const WorkId& work) const {
  const auto found = entries_.find(work);
  return found == entries_.end() ? nullptr : &found->second;
}

double WorkList::loss_sum() const {
  double sum = 0.0;
  for (const auto& [work, entry] : entries_) sum += entry.cursor().loss_sum;
  return sum;
}

double WorkList::fraction_done() const {
  if (entries_.empty()) return 1.0;
  const auto items = static_cast<double>(entries_.size() - rests_);
  if (batches_sum_ == 0) return static_cast<double>(done_) / items;
  const double mean = static_cast<double>(batches_sum_) / static_cast<double>(sized_);
  return static_cast<double>(watermark_sum_) / (mean * items);
}

bool WorkList::is_of(NodeId worker, const WorkEntry& entry, const WorkCursor& cursor) const {
  return entry.term == cursor.term && entry.last_holder == worker && entry.term != 0;
}

void WorkList::set_size(WorkEntry& entry, std::uint64_t batches, std::uint64_t end) {
  if (entry.batches != 0 || batches == 0) return;
  entry.batches = batches;
  entry.end = end;
  batches_sum_ += end - std::min(end, entry.first);
  if (entry.first == 0) ++sized_;
}

// An end that was not made known by split() is nobody's: the batches behind it would be lost.
WorkEntry* WorkList::mine(NodeId worker, const WorkCursor& cursor) {
  const auto found = entries_.find(cursor.work);
  if (found == entries_.end()) return nullptr;
  WorkEntry& entry = found->second;
  const std::uint64_t end = entry.end == 0 ? cursor.batches : entry.end;
  if (!is_of(worker, entry, cursor) || (cursor.end != 0 && cursor.end < end)) return nullptr;
  if (entry.holder == 0 && !entry.done) {
    entry.holder = worker;
    held_[worker].push_back(entry.work);
    free_.erase(entry.work);
  }
  entry.confirmed = true;
  return &entry;
}

void WorkList::account(WorkEntry& entry, const WorkCursor& cursor) {
  if (cursor.watermark > entry.watermark) {
    watermark_sum_ += cursor.watermark - entry.watermark;
    entry.watermark = cursor.watermark;
  }
  set_size(entry, cursor.batches, cursor.batches);
  if (cursor.examples < entry.term_totals.examples) return;  // an older report, overtaken
  if (entry.work.kind == kTrainWork) {
    examples_by_worker_[entry.last_holder] += cursor.examples - entry.term_totals.examples;
  }
  totals_.examples += cursor.examples - entry.term_totals.examples;
  totals_.bad_batches += cursor.bad_batches - std::min(cursor.bad_batches, entry.term_totals.bad_batches);
  totals_.loss_sum += cursor.loss_sum - entry.term_totals.loss_sum;
  const std::uint64_t slices = std::max(cursor.slices, entry.term_totals.slices);
  totals_.slices += slices - entry.term_totals.slices;
  entry.term_totals = totals_of(cursor);
  entry.term_totals.slices = slices;
}

void WorkList::drop_holder(WorkEntry& entry) {
  const auto found = held_.find(entry.holder);
  if (found != held_.end()) {
    std::erase(found->second, entry.work);
    if (found->second.empty()) held_.erase(found);
  }
  entry.holder = 0;
}

}  // namespace capstan
