#include "common/sketch_size.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>

#include "common/units.h"

namespace capstan {

std::uint32_t usual_sketch_width(std::uint32_t num_shards) {
  constexpr std::uint32_t kTableWidth = 1U << 23;
  constexpr std::uint32_t kUsualMin = 1U << 10;
  return std::clamp(std::bit_floor(kTableWidth / num_shards), kUsualMin, kSketchWidthMax);
}

Result<std::uint32_t> sketch_width(std::span<const TableSpec> tables, const SketchRoom& room) {
  const auto counting = static_cast<std::uint64_t>(std::count_if(
      tables.begin(), tables.end(), [](const TableSpec& table) { return table.min_count > 1; }));
  if (counting == 0) return 0U;
  const std::uint32_t usual = usual_sketch_width(room.num_shards);
  if (room.memory == 0) return usual;
  const std::uint64_t rows = counting * room.num_shards * room.replicas * kSketchDepth;
  const std::uint64_t share = room.memory / kSketchShare;
  if (share / rows >= kSketchWidthMin) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(usual, std::bit_floor(share / rows)));
  }
  const std::uint64_t needed = rows * kSketchWidthMin * kSketchShare;
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("{} tables have a min_count, and counting their keys takes at least {} of "
                  "memory over {} shards and {} copies; at most a quarter of the servers' memory "
                  "({} in all) goes there. Raise cluster.memory_limit so that all servers "
                  "together have {}, add servers, lower cluster.num_shards in a new job, or give "
                  "fewer tables a min_count",
                  counting, format_bytes(rows * kSketchWidthMin), room.num_shards, room.replicas,
                  format_bytes(room.memory), format_bytes(needed)));
}

}  // namespace capstan
