// WireOrder: a caller's keys, in any order and perhaps several times, as the wire wants them: unique and
// grouped by shard; with the places where each stood.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/hash.h"

namespace capstan {

struct WireOrder {
  std::vector<Key> keys;  // unique, sorted by (shard, key)
  std::vector<std::uint32_t>
      starts;  // [keys + 1]: keys[i] stood at places[starts[i]] to places[starts[i + 1]]
  std::vector<std::uint32_t> places;  // [n], ascending for each key
};

WireOrder wire_order(std::span<const Key> keys, std::uint32_t num_shards);

// Copies one key's row, [dim], to wherever the key stood in `out`, [n, dim].
void scatter_row(const WireOrder& order, std::uint32_t key, const float* row, std::uint32_t dim, float* out);
// The sum of the rows of `gradients`, [n, dim], where each key stood: [keys, dim]. Empty when a value is no
// number; `bad_key` says whose.
std::vector<float> combined(const WireOrder& order, const float* gradients, std::uint32_t dim, Key& bad_key);

}  // namespace capstan
