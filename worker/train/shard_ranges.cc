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
  const TableSpec& spec = specs[tables[range.position].table];
  const std::uint64_t row_bytes = values_bytes(spec.dtype, spec.dim);
  return range.count * std::max<std::uint64_t>(sizeof(Key), row_bytes);
}

std::vector<ShardRange> cut_to_frames(const std::vector<ShardRange>& ranges,
                                      std::span<const StepTable> tables, std::span<const TableSpec> specs,
                                      std::uint64_t bytes_max) {
  std::vector<ShardRange> cut;
  cut.reserve(ranges.size());
  for (const ShardRange& range : ranges) {
    const std::uint64_t key_bytes = largest_frame(range, tables, specs) / range.count;
    const auto most =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(bytes_max / key_bytes, 1, range.count));
    for (std::uint32_t done = 0; done < range.count; done += most) {
      cut.push_back({range.shard, range.position, range.begin + done, std::min(most, range.count - done)});
    }
  }
  return cut;
}

}  // namespace capstan
