#include "worker/train/shard_ranges.h"

#include <algorithm>

namespace capstan {

std::vector<ShardRange> shard_ranges(std::span<const StepTable> tables, std::uint32_t num_shards) {
  std::vector<ShardRange> ranges;
  for (std::uint32_t position = 0; position < tables.size(); ++position) {
    const auto& keys = tables[position].keys;
    for (std::uint32_t i = 0; i < keys.size(); ++i) {
      const std::uint32_t shard = shard_of(keys[i], num_shards);
      const bool continues = i > 0 && ranges.back().shard == shard;
      if (!continues) ranges.push_back({shard, position, i, 0});
      ++ranges.back().count;
    }
  }
  std::sort(ranges.begin(), ranges.end(), [](const ShardRange& a, const ShardRange& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.position < b.position;
  });
  return ranges;
}

std::uint64_t largest_frame(const ShardRange& range, std::span<const StepTable> tables,
                            std::span<const TableSpec> specs) {
  const std::uint64_t row_bytes = specs[tables[range.position].table].dim * sizeof(float);
  return range.count * std::max<std::uint64_t>(sizeof(Key), row_bytes);
}

}  // namespace capstan
