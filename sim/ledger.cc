#include "sim/ledger.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include "common/assert.h"
#include "common/rng.h"
#include "worker/train/step_program.h"

namespace capstan {
namespace {

enum Stream : std::uint64_t { kKeys = 1, kTouched, kNumbers, kRefused };
constexpr std::uint32_t kSums = 3;
constexpr std::uint64_t kLargestNumber = 4096;
constexpr std::uint64_t kDenseRows = 4;
constexpr std::uint64_t kYoungSeconds = 4;

}  // namespace

std::string to_string(const BatchId& id) {
  return fmt::format("pass {} partition {} batch {}", id.pass, id.partition, id.batch);
}

bool contains(const Batches& batches, const BatchId& id) {
  return std::binary_search(batches.begin(), batches.end(), id);
}

Ledger::Ledger(const LedgerShape& shape) : shape_(shape) {
  for (std::uint32_t i = 0; i < shape.keys; ++i) keys_.push_back(combine(shape.seed, kKeys, i));
  if (shape.dense) {
    for (Key row = 0; row < kDenseRows; ++row) dense_keys_.push_back(row);
    sort_for_wire(dense_keys_, shape.num_shards);
  }
  const std::uint64_t total = std::uint64_t{shape.passes} * shape.partitions * shape.batches;
  for (std::uint64_t n = 0; n < total; ++n) {
    Rng rng(combine(shape.seed, kTouched, n));
    std::vector<Key> keys;
    const std::uint64_t count = rng.below(std::uint64_t{shape.keys_per_batch_max} + 1);
    for (std::uint64_t i = 0; i < count; ++i) keys.push_back(keys_[rng.below(keys_.size())]);
    sort_for_wire(keys, shape.num_shards);
    touched_.push_back(std::move(keys));
    for (const Key key : touched_.back()) {
      if (is_refused(batch_of(n), key)) continue;
      touching_[key].push_back(batch_of(n));
      if (shape.sums) add(n, expected_[key]);
    }
  }
}

// What batch `number` leaves in each of its rows. sums only.
void Ledger::add(std::uint64_t number, std::vector<float>& row) const {
  row.resize(dim());
  row[0] += 1.0F;
  for (std::uint32_t i = 0; i < kSums; ++i) {
    row[1 + i] += static_cast<float>(1 + combine(shape_.seed, kNumbers, number, i) % kLargestNumber);
  }
}

std::uint32_t Ledger::dim() const {
  if (shape_.sums) return 1 + kSums;
  const auto total = static_cast<std::uint32_t>(touched_.size());
  return 1 + (total + kBitsPerFloat - 1) / kBitsPerFloat;
}

std::vector<TableSpec> Ledger::tables() const {
  TableSpec ledger;
  ledger.name = "ledger";
  ledger.dim = dim();
  ledger.init.kind = InitKind::kZero;
  ledger.optimizer = {.kind = OptimizerKind::kSgd, .learning_rate = 1.0F, .schedule = {}};
  TableSpec model = ledger;
  model.name = "model";
  model.dim = shape_.dtype == Dtype::kFloat32 ? 2 : 3;
  model.dtype = shape_.dtype;
  model.init = {.kind = InitKind::kNormal, .scale = 0.5F, .seed = shape_.seed};
  model.optimizer = {.kind = OptimizerKind::kAdagrad, .learning_rate = 0.1F, .schedule = {}};
  std::vector<TableSpec> tables = {ledger, model};
  const auto like_model = [&](const char* name) -> TableSpec& {
    TableSpec& table = tables.emplace_back(model);
    table.name = name;
    return table;
  };
  if (shape_.evicts) {
    like_model("recent").max_rows = std::max<std::uint64_t>(shape_.num_shards, shape_.keys * 2 / 3);
  }
  if (shape_.expires) like_model("young").ttl_seconds = kYoungSeconds;
  if (shape_.dense) {
    TableSpec& dense = like_model("dense");
    dense.dense = true;
    dense.num_rows = kDenseRows;
  }
  return tables;
}

std::vector<Key> Ledger::touched(const BatchId& id) const {
  return touched_[number(id)];
}

bool Ledger::is_refused(const BatchId& id, Key key) const {
  constexpr std::uint64_t kOneIn = 6;
  const std::vector<Key>& keys = touched_[number(id)];
  if (!shape_.refuses || combine(shape_.seed, kRefused, number(id)) % kOneIn != 0 || keys.empty())
    return false;
  return shard_of(key, shape_.num_shards) == shard_of(keys.front(), shape_.num_shards);
}

std::uint64_t Ledger::largest_slice() const {
  std::uint64_t largest = 0;
  for (const std::vector<Key>& keys : touched_) {
    std::map<std::uint32_t, std::uint64_t> bytes;
    for (const TableSpec& table : tables()) {
      const std::uint64_t each = std::max(sizeof(Key), values_bytes(table.dtype, table.dim));
      for (const Key key : table.dense && !keys.empty() ? dense_keys_ : keys) {
        bytes[shard_of(key, shape_.num_shards)] += each;
      }
    }
    for (const auto& [shard, sum] : bytes) largest = std::max(largest, sum);
  }
  return largest;
}

void Ledger::gradient(const BatchId& id, float* out) const {
  const std::uint64_t n = number(id);
  std::fill(out, out + dim(), 0.0F);
  if (shape_.sums) {
    std::vector<float> row;
    add(n, row);
    std::transform(row.begin(), row.end(), out, std::negate<>());
    return;
  }
  out[0] = -1.0F;
  out[1 + n / kBitsPerFloat] = -static_cast<float>(1U << (n % kBitsPerFloat));
}

BatchId Ledger::batch_of(std::uint64_t number) const {
  const std::uint64_t slice = number / shape_.batches;
  return {static_cast<std::uint32_t>(slice / shape_.partitions),
          static_cast<std::uint32_t>(slice % shape_.partitions), number % shape_.batches};
}

Batches Ledger::touching(Key key, std::uint32_t pass, std::uint64_t before_batch) const {
  const auto all = touching_.find(key);
  if (all == touching_.end()) return {};
  Batches found;
  std::copy_if(all->second.begin(), all->second.end(), std::back_inserter(found), [&](const BatchId& id) {
    return id.pass < pass || (id.pass == pass && id.batch < before_batch);
  });
  return found;
}

std::string Ledger::check_whole(Key key, std::span<const float> row) const {
  if (shape_.sums) {
    const auto expected = expected_.find(key);
    const bool none =
        expected == expected_.end() && std::all_of(row.begin(), row.end(), [](float x) { return x == 0.0F; });
    if (none || (expected != expected_.end() && std::ranges::equal(row, expected->second))) return "";
    const float wanted = expected == expected_.end() ? 0.0F : expected->second[0];
    return fmt::format("has seen {} of {} batches, or others", row[0], wanted);
  }
  Batches seen;
  std::string why;
  if (!decode(row, seen, why)) return why;
  const Batches all = touching(key);
  return seen == all ? "" : fmt::format("has seen {} of {} batches", seen.size(), all.size());
}

bool Ledger::decode(std::span<const float> row, Batches& batches, std::string& why) const {
  CAPSTAN_ASSERT(row.size() == dim(), "a row of the ledger");
  batches.clear();
  for (std::size_t i = 1; i < row.size(); ++i) {
    const float value = row[i];
    if (!(value >= 0.0F && value < static_cast<float>(1U << kBitsPerFloat)) || std::floor(value) != value) {
      why = fmt::format("float {} is {}", i, value);
      return false;
    }
    for (auto bits = static_cast<std::uint32_t>(value); bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<std::uint64_t>(__builtin_ctz(bits));
      const std::uint64_t n = (i - 1) * kBitsPerFloat + bit;
      if (n < touched_.size()) batches.push_back(batch_of(n));
    }
  }
  if (row[0] != static_cast<float>(batches.size())) {
    why = fmt::format("{} updates were applied, {} batches are in it", row[0], batches.size());
    return false;
  }
  return true;
}

}  // namespace capstan
