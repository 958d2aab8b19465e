#include "worker/models/batch_builder.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "common/assert.h"
#include "common/parallel.h"

namespace capstan {
namespace {

// Numbers keys in the order they are first seen.
class KeyNumbers {
 public:
  explicit KeyNumbers(std::size_t keys_max) : slots_(std::bit_ceil(2 * keys_max + 2), kEmpty) {}

  std::uint32_t number(Key key) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = mix64(key) & mask;; slot = (slot + 1) & mask) {
      if (slots_[slot] == kEmpty) {
        slots_[slot] = static_cast<std::uint32_t>(keys_.size());
        keys_.push_back(key);
        return slots_[slot];
      }
      if (keys_[slots_[slot]] == key) return slots_[slot];
    }
  }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffff;
  std::vector<std::uint32_t> slots_;  // into keys_
  std::vector<Key> keys_;
};

}  // namespace

BatchBuilder::BatchBuilder(const ModelTables& tables, std::uint32_t num_shards)
    : tables_(tables), num_shards_(num_shards) {
  data_.fields.resize(tables.num_fields());
  entries_.resize(tables.num_fields());
}

void BatchBuilder::add(std::uint32_t field, std::span<const Key> keys, std::span<const float> weights) {
  lay(field, keys, weights);
  Entries& entries = entries_[field];
  BatchData::Field& out = data_.fields[field];
  entries.single = entries.single && keys.size() == 1;
  out.offsets.back() = static_cast<std::uint32_t>(entries.laid);
  out.offsets.push_back(static_cast<std::uint32_t>(entries.keys.size()));
  if (!out.ends.empty()) out.ends.push_back(out.offsets.back());
}

void BatchBuilder::share(std::uint32_t field, std::size_t length) {
  Entries& entries = entries_[field];
  BatchData::Field& out = data_.fields[field];
  CAPSTAN_ASSERT(entries.laid + length <= entries.keys.size(), "share() beyond what was laid");
  if (out.ends.empty()) out.ends.assign(out.offsets.begin() + 1, out.offsets.end());
  entries.single = false;
  out.offsets.back() = static_cast<std::uint32_t>(entries.laid);
  out.ends.push_back(static_cast<std::uint32_t>(entries.laid + length));
  out.offsets.push_back(static_cast<std::uint32_t>(entries.keys.size()));
}

void BatchBuilder::lay(std::uint32_t field, std::span<const Key> keys, std::span<const float> weights) {
  CAPSTAN_ASSERT(weights.empty() || weights.size() == keys.size(), "a weight a key");
  Entries& entries = entries_[field];
  BatchData::Field& out = data_.fields[field];
  if (out.offsets.empty()) out.offsets.push_back(0);
  entries.laid = entries.keys.size();
  if (!weights.empty() && !entries.weighted) {
    entries.weighted = true;
    out.weights.assign(entries.keys.size(), 1.0F);
  }
  entries.keys.insert(entries.keys.end(), keys.begin(), keys.end());
  if (!entries.weighted) return;
  out.weights.insert(out.weights.end(), weights.begin(), weights.end());
  out.weights.resize(entries.keys.size(), 1.0F);
}

std::vector<Key> BatchBuilder::place(std::uint32_t key_set) {
  std::vector<std::uint32_t> fields;
  std::size_t total = 0;
  for (std::uint32_t field = 0; field < entries_.size(); ++field) {
    if (tables_.key_set_of(field) != key_set) continue;
    fields.push_back(field);
    total += entries_[field].keys.size();
  }
  KeyNumbers numbers(total);
  for (const std::uint32_t field : fields) {
    auto& positions = data_.fields[field].positions;
    positions.clear();
    for (const Key key : entries_[field].keys) positions.push_back(numbers.number(key));
    if (entries_[field].single) data_.fields[field].offsets.clear();
  }
  const std::vector<Key>& keys = numbers.keys();
  struct Place {
    std::uint32_t shard, number;
    Key key;
  };
  std::vector<Place> order;
  for (std::uint32_t i = 0; i < keys.size(); ++i)
    order.push_back({shard_of(keys[i], num_shards_), i, keys[i]});
  std::sort(order.begin(), order.end(), [](const Place& a, const Place& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.key < b.key;
  });
  std::vector<Key> sorted;
  std::vector<std::uint32_t> place_of(keys.size());
  for (const Place& place : order) {
    place_of[place.number] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(place.key);
  }
  for (const std::uint32_t field : fields) {
    for (std::uint32_t& position : data_.fields[field].positions) position = place_of[position];
  }
  return sorted;
}

std::vector<StepTable> BatchBuilder::finish() {
  std::vector<std::vector<Key>> keys(tables_.key_sets().size());
  parallel_for(keys.size(), [&](std::size_t set) { keys[set] = place(static_cast<std::uint32_t>(set)); });
  std::vector<StepTable> result;
  for (std::uint32_t t = 0; t < tables_.all().size(); ++t) {
    const ModelTable& table = tables_.all()[t];
    StepTable step;
    step.table = t;
    if (table.spec.dense) {
      step.keys.resize(table.spec.num_rows);
      std::iota(step.keys.begin(), step.keys.end(), Key{0});
      sort_for_wire(step.keys, num_shards_);
    } else {
      step.keys = keys[table.key_set];
    }
    if (!step.keys.empty()) result.push_back(std::move(step));
  }
  return result;
}

}  // namespace capstan
