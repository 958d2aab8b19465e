#include "ps/table/embedding_table.h"

#include <algorithm>
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

// By whole lines, which a copy of any length would first have to find out.
void copy_lines(const std::byte* from, std::size_t size, std::byte* to) {
  constexpr std::size_t kLine = 64;
  for (; size >= kLine; size -= kLine, from += kLine, to += kLine) std::memcpy(to, from, kLine);
  std::memcpy(to, from, size);
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
      rows_(layout_.weight_bytes(), layout_.tail_bytes()),
      wide_(spec.dtype == Dtype::kFloat32 ? 0 : spec.dim) {}

std::size_t EmbeddingTable::gather(std::span<const Key> keys, std::byte* out) const {
  const std::size_t row_bytes = layout_.dim() * width(spec_.dtype);
  std::vector<float> wide(wide_.size());
  std::size_t found = 0;
  index_.look_up(
      keys, [this](std::uint32_t slot) { rows_.prefetch_weights(slot); },
      [&](std::size_t i, std::uint32_t slot) {
        if (slot == KeyIndex::kAbsent) {
          fill_initial(keys[i], wide.data(), out + i * row_bytes);
        } else {
          copy_lines(rows_.weights(slot), row_bytes, out + i * row_bytes);
          ++found;
        }
      });
  std::memset(out + keys.size() * row_bytes, 0, section_bytes(spec_, keys.size()) - keys.size() * row_bytes);
  return found;
}

std::size_t EmbeddingTable::gather(std::span<const Key> keys, float* out) const {
  if (spec_.dtype == Dtype::kFloat32) return gather(keys, reinterpret_cast<std::byte*>(out));
  std::vector<std::byte> stored(section_bytes(spec_, keys.size()));
  const std::size_t found = gather(keys, stored.data());
  widen(spec_.dtype, stored.data(), keys.size() * layout_.dim(), out);
  return found;
}

void EmbeddingTable::fill_initial(Key key, float* wide, std::byte* out) const {
  if (spec_.dtype == Dtype::kFloat32) return initializer_.fill(key, reinterpret_cast<float*>(out));
  initializer_.fill(key, wide);
  narrow(spec_.dtype, wide, layout_.dim(), out);
}

ApplyResult EmbeddingTable::apply(std::span<const Key> keys, const float* gradients,
                                  const UpdateContext& context) {
  ApplyResult result;
  const std::size_t dim = layout_.dim();
  const auto step = static_cast<std::uint32_t>(context.step);
  updater_.begin(context.step);
  missing_.clear();
  index_.look_up(
      keys, [this](std::uint32_t slot) { rows_.prefetch_row(slot); },
      [&](std::size_t i, std::uint32_t slot) {
        if (slot == KeyIndex::kAbsent) return missing_.push_back(i);
        const std::uint32_t steps_since = step - layout_.last_step(rows_.tail(slot));
        update(keys[i], slot, gradients + i * dim, steps_since, context);
        ++result.applied;
      });
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
      slot = create(keys[i]);
      ++result.created;
    }
    update(keys[i], slot, gradients + i * dim, 1, context);
    ++result.applied;
  }
  counters_.applied += result.applied;
  counters_.created += result.created;
  counters_.refused += result.refused;
  counters_.evicted += result.evicted;
  return result;
}

std::uint32_t EmbeddingTable::create(Key key) {
  const std::uint32_t slot = rows_.take();
  index_.insert(key, slot);
  std::byte* weights = rows_.weights(slot);
  std::memset(weights, 0, layout_.weight_bytes());
  fill_initial(key, wide_.data(), weights);
  float* state = layout_.state(rows_.tail(slot));
  updater_.init_state(wide_.empty() ? reinterpret_cast<float*>(weights) : wide_.data(), state);
  return slot;
}

void EmbeddingTable::update(Key key, std::uint32_t slot, const float* gradient, std::uint32_t steps_since,
                            const UpdateContext& context) {
  std::byte* tail = rows_.tail(slot);
  std::byte* weights = rows_.weights(slot);
  if (wide_.empty()) {
    updater_.update(reinterpret_cast<float*>(weights), layout_.state(tail), gradient, steps_since);
  } else {
    layout_.read_weights(weights, wide_.data());
    updater_.update(wide_.data(), layout_.state(tail), gradient, steps_since);
    narrow_stochastic(spec_.dtype, wide_.data(), layout_.dim(), combine(context.step, key), weights);
  }
  layout_.touch(tail, static_cast<std::uint32_t>(context.step), context.now_seconds);
}

void EmbeddingTable::remove(Key key) {
  rows_.give_back(index_.erase(key));
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
  for_each_tail([&](Key key, std::uint32_t slot) {
    candidates.push_back({static_cast<std::uint32_t>(step) - layout_.last_step(rows_.tail(slot)), key});
  });
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
  std::vector<Key> expired;
  for_each_tail([&](Key key, std::uint32_t slot) {
    const std::uint32_t touched = layout_.touched_seconds(rows_.tail(slot));
    if (touched < now_seconds && now_seconds - touched > ttl) expired.push_back(key);
  });
  for (const Key key : expired) remove(key);
  if (!expired.empty()) release_memory();
  counters_.expired += expired.size();
  return expired.size();
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
  if (size() == 0) index_.clear();
  rows_.trim([this](const auto& move) {
    index_.for_each([](std::uint32_t) {}, [&](Key, std::uint32_t& slot) { move(slot); });
  });
}

std::size_t EmbeddingTable::bytes() const {
  return fixed_bytes() + rows_.bytes() + index_.bytes() + removals_.bytes();
}

std::size_t EmbeddingTable::fixed_bytes() const {
  return sizeof(*this) + admission_.bytes() + missing_.capacity() * sizeof(std::size_t);
}

void EmbeddingTable::copy_row(std::uint32_t slot, std::byte* out) const {
  std::memcpy(out, rows_.weights(slot), layout_.weight_bytes());
  std::memcpy(out + layout_.weight_bytes(), rows_.tail(slot), layout_.tail_bytes());
}

template <typename Visit>
void EmbeddingTable::for_each_tail(const Visit& visit) const {
  index_.for_each([this](std::uint32_t slot) { rows_.prefetch_tail(slot); }, visit);
}

std::vector<std::byte> EmbeddingTable::find_row(Key key) const {
  const std::uint32_t slot = index_.find(key);
  if (slot == KeyIndex::kAbsent) return {};
  std::vector<std::byte> row(layout_.row_bytes());
  copy_row(slot, row.data());
  return row;
}

void EmbeddingTable::for_each_row(const std::function<void(Key, std::span<const std::byte>)>& visit) const {
  std::vector<std::byte> row(layout_.row_bytes());
  index_.for_each([this](std::uint32_t slot) { rows_.prefetch_row(slot); },
                  [&](Key key, std::uint32_t slot) {
                    copy_row(slot, row.data());
                    visit(key, row);
                  });
}

// Steps are compared as they lie behind one another, for their low 32 bits begin anew some time. A row that
// has not been pushed for 2^31 steps counts as pushed.
bool EmbeddingTable::pushed_since(std::uint32_t slot, std::optional<std::uint32_t> since) const {
  return !since || static_cast<std::int32_t>(layout_.last_step(rows_.tail(slot)) - *since) >= 0;
}

std::size_t EmbeddingTable::count_rows(std::optional<std::uint32_t> since) const {
  if (!since) return size();
  std::size_t count = 0;
  for_each_tail([&](Key, std::uint32_t slot) { count += pushed_since(slot, since) ? 1 : 0; });
  return count;
}

void EmbeddingTable::copy_rows(std::optional<std::uint32_t> since, std::byte* out) const {
  index_.for_each([this](std::uint32_t slot) { rows_.prefetch_row(slot); },
                  [&](Key key, std::uint32_t slot) {
                    if (!pushed_since(slot, since)) return;
                    std::memcpy(out, &key, sizeof(Key));
                    copy_row(slot, out + sizeof(Key));
                    out += record_bytes();
                  });
}

Status EmbeddingTable::insert_rows(std::span<const std::byte> records) {
  if (size() > 0) return make_error(ErrorCode::kCorrupt, "a table's rows come twice");
  std::vector<KeyIndex::Entry> entries;
  entries.reserve(records.size() / record_bytes());
  for (; !records.empty(); records = records.subspan(record_bytes())) {
    const std::uint32_t slot = rows_.take();
    std::memcpy(&entries.emplace_back().key, records.data(), sizeof(Key));
    entries.back().slot = slot;
    const std::byte* row = records.data() + sizeof(Key);
    std::memcpy(rows_.weights(slot), row, layout_.weight_bytes());
    std::memcpy(rows_.tail(slot), layout_.tail(row), layout_.tail_bytes());
  }
  if (index_.build(entries)) return ok_status();
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
