#include "ps/shard.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/assert.h"
#include "common/gradient_check.h"
#include "common/planted_bugs.h"
#include "ps/section_counts.h"
#include "ps/step_combiner.h"

namespace capstan {
namespace {

// What no eviction gives back.
std::uint64_t fixed_bytes_of(const EmbeddingTable& table) {
  return table.spec().dense ? table.bytes() : table.fixed_bytes();
}

}  // namespace

void ShardStats::add(const ShardStats& other) {
  pushes_applied += other.pushes_applied;
  pushes_duplicate += other.pushes_duplicate;
  pushes_fenced += other.pushes_fenced;
  pushes_gap += other.pushes_gap;
  pushes_refused += other.pushes_refused;
  rows_pulled += other.rows_pulled;
  rows_pushed += other.rows_pushed;
  rows_evicted += other.rows_evicted;
  rows_squeezed += other.rows_squeezed;
  rows_not_admitted += other.rows_not_admitted;
  streams_forgotten += other.streams_forgotten;
  streams += other.streams;
  rows += other.rows;
  bytes += other.bytes;
  fixed_bytes += other.fixed_bytes;
  for (std::size_t i = 0; i < kStalenessBuckets; ++i) staleness[i] += other.staleness[i];
  if (tables.size() < other.tables.size()) tables.resize(other.tables.size());
  for (std::size_t i = 0; i < other.tables.size(); ++i) {
    tables[i].rows += other.tables[i].rows;
    tables[i].bytes += other.tables[i].bytes;
    tables[i].evicted += other.tables[i].evicted;
  }
}

void ShardStats::add_progress(const ShardStats& before, const ShardStats& now) {
  constexpr std::uint64_t ShardStats::*kCounters[] = {
      &ShardStats::pushes_applied_here, &ShardStats::pushes_refused_here, &ShardStats::pushes_duplicate,
      &ShardStats::pushes_fenced,       &ShardStats::pushes_gap,          &ShardStats::rows_pulled,
      &ShardStats::rows_pushed,         &ShardStats::rows_evicted,        &ShardStats::rows_not_admitted,
      &ShardStats::rows_squeezed,       &ShardStats::streams_forgotten};
  for (const auto counter : kCounters) this->*counter += now.*counter - before.*counter;
  for (std::size_t i = 0; i < kStalenessBuckets; ++i) staleness[i] += now.staleness[i] - before.staleness[i];
  if (tables.size() < now.tables.size()) tables.resize(now.tables.size());
  for (std::size_t i = 0; i < now.tables.size(); ++i) {
    tables[i].evicted += now.tables[i].evicted - (i < before.tables.size() ? before.tables[i].evicted : 0);
  }
}

void Shard::count_push(bool refused) {
  ++(refused ? stats_.pushes_refused : stats_.pushes_applied);
  ++(refused ? stats_.pushes_refused_here : stats_.pushes_applied_here);
}

void Shard::declare(const DeclareTables& declare) {
  window_.fence_terms_below(declare.fence);
  slots_ = declare.num_slots;
  combine_ = declare.combine_steps;
  sketch_width_ = declare.sketch_width;
  for (std::size_t i = tables_.size(); i < declare.tables.size(); ++i) {
    specs_.push_back(declare.tables[i]);
    tables_.push_back(std::make_unique<EmbeddingTable>(specs_[i], num_shards_, sketch_width_));
  }
}

void Shard::pull(std::span<const Section> sections, const Key* keys, StepClock at, void* to) {
  auto* out = static_cast<std::byte*>(to);
  for (const auto& section : sections) {
    const std::span<const Key> wanted(keys, section.count);
    tables_[section.table]->gather(wanted, out);
    if (undo_.holds(at)) undo_.restore(section.table, wanted, out);
    keys += section.count;
    out += section_bytes(specs_[section.table], section.count);
    stats_.rows_pulled += section.count;
  }
}

// Keys must be of this shard, strictly ascending within a section and, in a dense table, below its number of
// rows; gradients must be finite.
SliceStatus Shard::validate(const PushedSlice& slice, const float* gradients) const {
  if (slice.malformed) return SliceStatus::kRefused;
  if (slice.checked) return SliceStatus::kOk;
  const Key* keys = slice.keys;
  for (const auto& section : slice.sections) {
    for (std::uint32_t i = 0; i < section.count; ++i) {
      if (shard_of(keys[i], num_shards_) != id_) return SliceStatus::kRefused;
      if (i > 0 && keys[i] <= keys[i - 1]) return SliceStatus::kRefused;
    }
    const TableSpec& spec = specs_[section.table];
    if (spec.dense && section.count > 0 && keys[section.count - 1] >= spec.num_rows)
      return SliceStatus::kRefused;
    keys += section.count;
  }
  const std::size_t floats = counts_of(slice.sections, specs_).floats;
  const bool usable = first_unusable({gradients, floats}) == floats;
  return usable ? SliceStatus::kOk : SliceStatus::kRefused;
}

// Where they lie, unless some came in 16 bits.
const float* Shard::floats_of(const PushedSlice& slice) {
  const bool as_they_lie =
      std::all_of(slice.sections.begin(), slice.sections.end(),
                  [&](const Section& each) { return specs_[each.table].dtype == Dtype::kFloat32; });
  if (slice.malformed || as_they_lie) return static_cast<const float*>(slice.gradients);
  widened_.resize(counts_of(slice.sections, specs_).floats);
  const auto* from = static_cast<const std::byte*>(slice.gradients);
  float* to = widened_.data();
  for (const Section& section : slice.sections) {
    const TableSpec& spec = specs_[section.table];
    const std::size_t count = std::size_t{section.count} * spec.dim;
    widen(of_gradients(spec.dtype), from, count, to);
    from += section_bytes(spec, section.count);
    to += count;
  }
  return widened_.data();
}

PushOutcome Shard::push(const PushedSlice& slice, std::uint32_t now_seconds) {
  PushOutcome outcome;
  const std::uint64_t seen = window_.term(slice.pass, slice.partition);
  const auto check = slice.checked ? &PushWindow::check_taken : &PushWindow::check;
  outcome.status = (window_.*check)(slice.pass, slice.partition, slice.term, slice.sequence, slice.previous);
  outcome.version = version_;
  outcome.changed = outcome.status != SliceStatus::kFenced && seen != slice.term;
  switch (outcome.status) {
    case SliceStatus::kDuplicate:
      ++stats_.pushes_duplicate;
      return outcome;
    case SliceStatus::kFenced:
      ++stats_.pushes_fenced;
      return outcome;
    case SliceStatus::kGap:
      ++stats_.pushes_gap;
      return outcome;
    default:
      break;
  }
  const float* gradients = floats_of(slice);
  outcome.status = validate(slice, gradients);
  outcome.full = slice.checked ? slice.full : bytes() > bytes_max_;
  if (combine_) {
    // A refused slice takes part as an empty one: the step must not wait for it.
    PushedSlice kept = slice;
    kept.refused = outcome.status == SliceStatus::kRefused;
    if (kept.refused) kept.sections.clear();
    if (gradients != slice.gradients) {
      kept.gradients_owner = Buffer::copy_of(std::span<const float>(widened_));
      kept.gradients = kept.gradients_owner.data();
    }
    PushOutcome combined = combine(kept, now_seconds, outcome.full);
    combined.status = outcome.status;
    combined.full = outcome.full;
    combined.changed = true;
    return combined;
  }
  outcome.changed = true;
  if (outcome.status == SliceStatus::kOk && !slice.sections.empty()) {
    if (!slice.checked) note_staleness(slice.pulled_version);  // a record does not tell it
    apply(slice.sections, slice.keys, gradients, {slice.step, now_seconds, outcome.full});
  }
  count_push(outcome.status == SliceStatus::kRefused);
  if (outcome.status != SliceStatus::kRefused || !CAPSTAN_PLANTED(kRefusedKeepsItsNumber)) {
    window_.record(slice.pass, slice.partition, slice.sequence);
  }
  outcome.version = version_;
  outcome.clock = clock();
  return outcome;
}

void Shard::apply(std::span<const Section> sections, const Key* keys, const float* gradients,
                  const UpdateContext& context) {
  ++version_;
  step_ = std::max(step_, context.step);  // two workers need not agree, but a row's steps must not go back
  for (const auto& section : sections) {
    const bool full = context.full && !specs_[section.table].dense;
    const auto counts =
        tables_[section.table]->apply({keys, section.count}, gradients, {step_, context.now_seconds, full});
    stats_.rows_not_admitted += counts.refused;
    count_evicted(section.table, counts.evicted);
    stats_.rows_pushed += section.count;
    keys += section.count;
    gradients += std::size_t{section.count} * specs_[section.table].dim;
  }
}

void Shard::note_staleness(std::uint64_t pulled_version) {
  const std::uint64_t behind = version_ - std::min(version_, pulled_version);
  const auto bucket = static_cast<std::size_t>(std::bit_width(behind));
  ++stats_.staleness[std::min(bucket, ShardStats::kStalenessBuckets - 1)];
}

PushOutcome Shard::combine(const PushedSlice& slice, std::uint32_t now_seconds, bool full) {
  PushOutcome outcome;
  outcome.waits = true;
  waiting_[slice.partition] = slice;
  if (waiting_.size() < slots_) {
    outcome.version = version_;
    return outcome;
  }
  for (const auto& [slot, part] : waiting_) {
    outcome.released_slots.push_back(slot);
    count_push(part.refused);
    window_.record(part.pass, part.partition, part.sequence);
  }
  if (CAPSTAN_PLANTED(kSlotsInOrderOfArrival)) std::swap(waiting_.begin()->second, waiting_[slice.partition]);
  apply_step({slice.pass, slice.sequence - 1}, now_seconds, full);
  waiting_.clear();
  outcome.version = version_;
  outcome.clock = clock();
  const Wish& wish = waiting_snapshot_;
  if (wish.sequence != 0 && slice.pass == wish.pass && clock_of(slice.pass) == wish.sequence) {
    outcome.snapshot = snapshot(std::exchange(waiting_snapshot_, {}));
  }
  return outcome;
}

void Shard::apply_step(StepClock at, std::uint32_t now_seconds, bool full) {
  std::vector<const PushedSlice*> parts;
  for (const auto& [slot, part] : waiting_) parts.push_back(&part);
  const CombinedStep step = combine_slots(parts, specs_);
  undo_.keep(at, step.sections, step.keys, tables_);
  if (step.sections.empty()) {
    ++version_;
    return;
  }
  note_staleness(version_);
  apply(step.sections, step.keys.data(), step.gradients.data(), {version_ + 1, now_seconds, full});
}

void Shard::get_rows(std::uint32_t table, std::span<const Key> keys, std::vector<bool>& found,
                     std::vector<std::byte>& out) const {
  for (const Key key : keys) {
    const auto row = tables_[table]->find_row(key);
    found.push_back(!row.empty());
    out.insert(out.end(), row.begin(), row.end());
  }
}

Eviction Shard::evict(std::uint32_t now_seconds, std::uint64_t bytes_max) {
  Eviction eviction;
  eviction.counts.assign(tables_.size(), 0);
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    eviction.changed = eviction.changed || tables_[i]->expiry_due(now_seconds);
    count_evicted(i, tables_[i]->evict_expired(now_seconds));
  }
  bytes_max_ = bytes_max;
  if (bytes() > bytes_max_) squeeze(eviction);
  return eviction;
}

std::uint64_t Shard::bytes() const {
  if (bytes_max_ == ~std::uint64_t{0}) return 0;
  std::uint64_t bytes = 0;
  for (const auto& table : tables_) bytes += table->bytes();
  return bytes;
}

// Every sparse table gives up the same share of its rows; dense layers and sketches stay.
void Shard::squeeze(Eviction& eviction) {
  constexpr double kKept = 15.0 / 16.0;  // so that new rows find room for a while
  std::uint64_t row_bytes = 0;
  std::uint64_t fixed_bytes = 0;
  for (const auto& table : tables_) {
    fixed_bytes += fixed_bytes_of(*table);
    row_bytes += table->bytes() - fixed_bytes_of(*table);
  }
  if (row_bytes == 0) return;
  const double keep = kKept * static_cast<double>(bytes_max_ - std::min(bytes_max_, fixed_bytes)) /
                      static_cast<double>(row_bytes);
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (specs_[i].dense) continue;
    const std::uint64_t fixed = tables_[i]->fixed_bytes();
    const auto rows = static_cast<double>(tables_[i]->bytes() - fixed);
    const std::uint64_t budget = fixed + static_cast<std::uint64_t>(rows * keep);
    eviction.counts[i] = tables_[i]->evict_to(budget, step_);
    eviction.changed = eviction.changed || eviction.counts[i] > 0;
    count_evicted(i, eviction.counts[i]);
    stats_.rows_squeezed += eviction.counts[i];
  }
}

void Shard::count_evicted(std::size_t table, std::uint64_t rows) {
  stats_.rows_evicted += rows;
  if (stats_.tables.size() <= table) stats_.tables.resize(table + 1);
  stats_.tables[table].evicted += rows;
}

bool Shard::forget_below(std::uint32_t pass, std::uint64_t direct_term) {
  const std::size_t before = window_.streams();
  const bool passes = window_.forget_below(pass);
  const bool direct = window_.forget_direct_below(direct_term);
  stats_.streams_forgotten += before - window_.streams();
  return passes || direct;
}

ShardStats Shard::stats() const {
  ShardStats stats = stats_;
  stats.streams = window_.streams();
  stats.tables.resize(tables_.size());
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const EmbeddingTable& table = *tables_[i];
    stats.tables[i].rows = table.size();
    stats.tables[i].bytes = table.bytes();
    stats.rows += table.size();
    stats.bytes += table.bytes();
    stats.fixed_bytes += fixed_bytes_of(table);
  }
  return stats;
}

}  // namespace capstan
