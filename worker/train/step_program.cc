#include "worker/train/step_program.h"

#include <algorithm>

namespace capstan {

void sort_for_wire(std::vector<Key>& keys, std::uint32_t num_shards) {
  std::sort(keys.begin(), keys.end(), [num_shards](Key a, Key b) {
    const auto shard_a = shard_of(a, num_shards);
    const auto shard_b = shard_of(b, num_shards);
    return shard_a != shard_b ? shard_a < shard_b : a < b;
  });
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

}  // namespace capstan
