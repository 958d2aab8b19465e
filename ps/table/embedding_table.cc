#include "ps/table/embedding_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "common/assert.h"
#include "common/sketch_size.h"

namespace capstan {
namespace {

constexpr std::size_t kEvictPart = 16;  // the inverse of the share that goes when max_rows is reached
constexpr std::uint32_t kScansPerTtl = 32;
constexpr std::size_t kSqueezePart = 64;  // at least this part at a time, for memory goes back in whole pages

// What save_state puts before the sketch.
struct Fixed {
  TableCounters counters;
  std::uint64_t next_scan = 0;
};
static_assert(std::is_trivially_copyable_v<Fixed> && sizeof(Fixed) == 6 * sizeof(std::uint64_t));

std::uint32_t scan_pause(const TableSpec& spec) {
  return std::max(1U, static_cast<std::uint32_t>(spec.ttl_seconds) / kScansPerTtl);
}

std::size_t share_of(std::uint64_t max_rows, std::uint32_t num_shards) {
  if (max_rows == 0) return 0;
  return static_cast<std::size_t>(std::max<std::uint64_t>(1, max_rows / num_shards));
}

}  // namespace

ApplyResult& ApplyResult::operator+=(const ApplyResult& other) {
  applied += other.applied;
  created += other.created;
  refused += other.refused;
  evicted += other.evicted;
  return *this;
}

EmbeddingTable::EmbeddingTable(const TableSpec& spec, std::uint32_t num_shards, std::uint32_t sketch_width)
    : spec_(spec),
      sketch_width_(sketch_width == 0 ? usual_sketch_width(num_shards) : sketch_width),
      max_rows_(share_of(spec.max_rows, num_shards)),
      updater_(spec.optimizer, spec.dim),
      layout_(spec, updater_.state_floats()),
      initializer_(spec.init, spec.dim),
      admission_(spec.min_count, sketch_width_),
      rows_(layout_.row_bytes()),
      index_(rows_) {}

std::size_t EmbeddingTable::gather(std::span<const Key> keys, float* out) const {
  std::array<std::uint32_t, KeyIndex::kGroup> slots;
  const std::size_t dim = layout_.dim();
  std::size_t found = 0;
  for (std::size_t start = 0; start < keys.size(); start += KeyIndex::kGroup) {
    const auto group = keys.subspan(start, std::min(KeyIndex::kGroup, keys.size() - start));
    index_.find_group(group, slots.data());
    for (std::size_t i = 0; i < group.size(); ++i, out += dim) {
      if (slots[i] == KeyIndex::kAbsent) {
        initializer_.fill(group[i], out);
      } else {
        std::memcpy(out, rows_.row(slots[i]), dim * sizeof(float));
        ++found;
      }
    }
  }
  return found;
}

ApplyResult EmbeddingTable::apply(std::span<const Key> keys, const float* gradients,
                                  const UpdateContext& context) {
  ApplyResult result;
  std::array<std::uint32_t, KeyIndex::kGroup> slots;
  const std::size_t dim = layout_.dim();
  updater_.begin(context.step);
  missing_.clear();
  for (std::size_t start = 0; start < keys.size(); start += KeyIndex::kGroup) {
    const auto group = keys.subspan(start, std::min(KeyIndex::kGroup, keys.size() - start));
    index_.find_group(group, slots.data());
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (slots[i] == KeyIndex::kAbsent) {
        missing_.push_back(start + i);
        continue;
      }
      const auto step = static_cast<std::uint32_t>(context.step);
      const std::uint32_t steps_since = step - layout_.last_step(rows_.row(slots[i]));
      update(slots[i], gradients + (start + i) * dim, steps_since, context);
      ++result.applied;
    }
  }
  for (const std::size_t i : missing_) {
    std::uint32_t slot = index_.find(keys[i]);
    if (slot == KeyIndex::kAbsent) {
      if (context.full || !admission_.admit(keys[i])) {
        ++result.refused;
        continue;
      }
      if (max_rows_ != 0 && size() >= max_rows_) {
        result.evicted +=
            evict_oldest(size() - max_rows_ + std::max<std::size_t>(1, max_rows_ / kEvictPart), context.step);
      }
      slot = rows_.append(keys[i]);
      index_.insert(keys[i], slot);
      std::byte* row = rows_.row(slot);
      initializer_.fill(keys[i], layout_.weights(row));
      updater_.init_state(layout_.weights(row), layout_.state(row));
      ++result.created;
    }
    update(slot, gradients + i * dim, 1, context);
    ++result.applied;
  }
  counters_.applied += result.applied;
  counters_.created += result.created;
  counters_.refused += result.refused;
  counters_.evicted += result.evicted;
  return result;
}

void EmbeddingTable::update(std::uint32_t slot, const float* gradient, std::uint32_t steps_since,
                            const UpdateContext& context) {
  std::byte* row = rows_.row(slot);
  updater_.update(layout_.weights(row), layout_.state(row), gradient, steps_since);
  layout_.touch(row, static_cast<std::uint32_t>(context.step), context.now_seconds);
}

void EmbeddingTable::remove(Key key) {
  const std::uint32_t slot = index_.find(key);
  const std::uint32_t last = rows_.size() - 1;
  index_.erase(key, slot);
  if (slot != last) index_.relocate(rows_.key(last), last, slot);
  rows_.remove(slot);
  removals_.add(key, size());
}

std::uint64_t EmbeddingTable::evict_oldest(std::size_t count, std::uint64_t step) {
  struct Candidate {
    std::uint32_t age;
    Key key;
  };
  count = std::min(count, size());
  if (count == 0) return 0;
  std::vector<Candidate> candidates;
  candidates.reserve(size());
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    candidates.push_back(
        {static_cast<std::uint32_t>(step) - layout_.last_step(rows_.row(slot)), rows_.key(slot)});
  }
  const auto goes_first = [](const Candidate& a, const Candidate& b) {
    return a.age != b.age ? a.age > b.age : a.key < b.key;
  };
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(candidates.begin(), end - 1, candidates.end(), goes_first);
  std::sort(candidates.begin(), end, goes_first);
  for (auto it = candidates.begin(); it != end; ++it) remove(it->key);
  return count;
}

bool EmbeddingTable::expiry_due(std::uint32_t now_seconds) const {
  if (spec_.ttl_seconds == 0 || size() == 0) return false;
  return now_seconds >= next_scan_ || next_scan_ - now_seconds > scan_pause(spec_);
}

std::size_t EmbeddingTable::evict_expired(std::uint32_t now_seconds) {
  const auto ttl = static_cast<std::uint32_t>(spec_.ttl_seconds);
  if (!expiry_due(now_seconds)) return 0;
  next_scan_ = now_seconds + scan_pause(spec_);
  std::size_t expired = 0;
  // From the back, so that the record moved into a gap has been looked at.
  for (std::uint32_t slot = rows_.size(); slot-- > 0;) {
    const std::uint32_t touched = layout_.touched_seconds(rows_.row(slot));
    if (touched >= now_seconds || now_seconds - touched <= ttl) continue;
    remove(rows_.key(slot));
    ++expired;
  }
  if (expired > 0) release_memory();
  counters_.expired += expired;
  return expired;
}

std::size_t EmbeddingTable::evict_to(std::size_t budget, std::uint64_t step) {
  if (bytes() > budget) release_memory();
  std::size_t evicted = 0;
  while (bytes() > budget && size() > 0) {
    const std::size_t footprint = layout_.row_bytes() + sizeof(Key) + sizeof(std::uint32_t);
    const std::size_t needed = (bytes() - budget) / footprint + 1;
    evicted += evict_oldest(std::max(needed, size() / kSqueezePart), step);
    release_memory();
  }
  counters_.evicted += evicted;
  return evicted;
}

void EmbeddingTable::evict_count(std::size_t count, std::uint64_t step) {
  counters_.evicted += evict_oldest(count, step);
  release_memory();
}

void EmbeddingTable::release_memory() {
  rows_.trim();
  if (size() == 0) index_.clear();
}

std::size_t EmbeddingTable::bytes() const {
  return fixed_bytes() + rows_.bytes() + index_.bytes() + removals_.bytes();
}

std::size_t EmbeddingTable::fixed_bytes() const {
  return sizeof(*this) + admission_.bytes() + missing_.capacity() * sizeof(std::size_t);
}

std::span<const std::byte> EmbeddingTable::find_row(Key key) const {
  const std::uint32_t slot = index_.find(key);
  if (slot == KeyIndex::kAbsent) return {};
  return {rows_.row(slot), layout_.row_bytes()};
}

void EmbeddingTable::for_each_row(const std::function<void(Key, std::span<const std::byte>)>& visit) const {
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    visit(rows_.key(slot), {rows_.row(slot), layout_.row_bytes()});
  }
}

// Steps are compared as they lie behind one another, for their low 32 bits begin anew some time. A row that
// has not been pushed for 2^31 steps counts as pushed.
bool EmbeddingTable::pushed_since(std::uint32_t slot, std::optional<std::uint32_t> since) const {
  return !since || static_cast<std::int32_t>(layout_.last_step(rows_.row(slot)) - *since) >= 0;
}

std::size_t EmbeddingTable::count_rows(std::optional<std::uint32_t> since) const {
  if (!since) return size();
  std::size_t count = 0;
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) count += pushed_since(slot, since) ? 1 : 0;
  return count;
}

void EmbeddingTable::copy_rows(std::optional<std::uint32_t> since, std::byte* out) const {
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    if (!pushed_since(slot, since)) continue;
    const Key key = rows_.key(slot);
    std::memcpy(out, &key, sizeof(Key));
    std::memcpy(out + sizeof(Key), rows_.row(slot), layout_.row_bytes());
    out += record_bytes();
  }
}

Status EmbeddingTable::insert_rows(std::span<const std::byte> records) {
  if (size() > 0) return make_error(ErrorCode::kCorrupt, "a table's rows come twice");
  rows_.append_records(records);
  if (index_.build()) return ok_status();
  rows_.clear();
  return make_error(ErrorCode::kCorrupt, "a row comes twice");
}

void EmbeddingTable::clear() {
  index_.clear();
  rows_.clear();
  admission_ = Admission(spec_.min_count, sketch_width_);
  counters_ = TableCounters{};
  next_scan_ = 0;
}

std::vector<std::byte> EmbeddingTable::save_state() const {
  const Fixed fixed{counters_, next_scan_};
  std::vector<std::byte> out(sizeof(Fixed));
  std::memcpy(out.data(), &fixed, sizeof(Fixed));
  admission_.save(out);
  return out;
}

Status EmbeddingTable::restore_state(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Fixed)) return make_error(ErrorCode::kCorrupt, "table state: too short");
  CAPSTAN_TRY(admission_.restore(bytes.subspan(sizeof(Fixed))));
  Fixed fixed;
  std::memcpy(&fixed, bytes.data(), sizeof(Fixed));
  counters_ = fixed.counters;
  next_scan_ = static_cast<std::uint32_t>(fixed.next_scan);
  return ok_status();
}

}  // namespace capstan
