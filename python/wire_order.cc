#include "python/wire_order.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace capstan {

WireOrder wire_order(std::span<const Key> keys, std::uint32_t num_shards) {
  struct Placed {
    std::uint32_t shard, place;
    Key key;
  };
  std::vector<Placed> placed(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) placed[i] = {shard_of(keys[i], num_shards), i, keys[i]};
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    if (a.shard != b.shard) return a.shard < b.shard;
    return a.key != b.key ? a.key < b.key : a.place < b.place;
  });
  WireOrder order;
  order.places.reserve(keys.size());
  for (std::uint32_t i = 0; i < placed.size(); ++i) {
    if (i == 0 || placed[i].key != placed[i - 1].key) {
      order.keys.push_back(placed[i].key);
      order.starts.push_back(i);
    }
    order.places.push_back(placed[i].place);
  }
  order.starts.push_back(static_cast<std::uint32_t>(placed.size()));
  return order;
}

void scatter_row(const WireOrder& order, std::uint32_t key, const float* row, std::uint32_t dim, float* out) {
  for (std::uint32_t i = order.starts[key]; i < order.starts[key + 1]; ++i) {
    std::memcpy(out + std::size_t{order.places[i]} * dim, row, dim * sizeof(float));
  }
}

std::vector<float> combined(const WireOrder& order, const float* gradients, std::uint32_t dim, Key& bad_key) {
  std::vector<float> sums(order.keys.size() * dim);
  for (std::uint32_t key = 0; key < order.keys.size(); ++key) {
    float* sum = sums.data() + std::size_t{key} * dim;
    const std::uint32_t first = order.starts[key];
    std::memcpy(sum, gradients + std::size_t{order.places[first]} * dim, dim * sizeof(float));
    for (std::uint32_t i = first + 1; i < order.starts[key + 1]; ++i) {
      const float* more = gradients + std::size_t{order.places[i]} * dim;
      for (std::uint32_t d = 0; d < dim; ++d) sum[d] += more[d];
    }
    if (std::all_of(sum, sum + dim, [](float value) { return std::isfinite(value); })) continue;
    bad_key = order.keys[key];
    return {};
  }
  return sums;
}

}  // namespace capstan
