#include "ps/table/admission.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::uint32_t kTableWidth = 1U << 23;
constexpr std::uint32_t kSmallestWidth = 1U << 10;
constexpr std::uint32_t kLargestWidth = 1U << 20;
constexpr std::uint64_t kSketchSeed = 0x5be0cd19137e2179ULL;

}  // namespace

Admission::Admission(std::uint32_t min_count, std::uint32_t num_shards) : min_count_(min_count) {
  CAPSTAN_ASSERT(min_count <= kMaxCount, "min_count is checked by check_table_spec");
  if (min_count > 1) {
    width_ = std::clamp(std::bit_floor(kTableWidth / num_shards), kSmallestWidth, kLargestWidth);
  }
}

bool Admission::admit(Key key) {
  if (width_ == 0) return true;
  if (counters_.empty()) counters_.resize(std::size_t{kDepth} * width_);
  const std::uint64_t hash = combine(kSketchSeed, key);
  const auto first = static_cast<std::uint32_t>(hash);
  const auto step = static_cast<std::uint32_t>(hash >> 32) | 1U;
  std::array<std::uint8_t*, kDepth> cells;
  std::uint32_t seen = kMaxCount;
  for (std::uint32_t i = 0; i < kDepth; ++i) {
    cells[i] = &counters_[std::size_t{i} * width_ + ((first + i * step) & (width_ - 1))];
    seen = std::min<std::uint32_t>(seen, *cells[i]);
  }
  const std::uint32_t count = std::min(seen + 1, kMaxCount);
  for (std::uint8_t* cell : cells) *cell = std::max(*cell, static_cast<std::uint8_t>(count));
  if (seen == 0 && ++keys_ > width_ / 2) {
    for (std::uint8_t& counter : counters_) counter = static_cast<std::uint8_t>(counter / 2);
    keys_ /= 2;
  }
  return count >= min_count_;
}

void Admission::save(std::vector<std::byte>& out) const {
  const std::array<std::uint32_t, 2> header = {keys_, static_cast<std::uint32_t>(counters_.size())};
  const std::size_t start = out.size();
  out.resize(start + sizeof(header) + counters_.size());
  std::memcpy(out.data() + start, header.data(), sizeof(header));
  if (!counters_.empty())
    std::memcpy(out.data() + start + sizeof(header), counters_.data(), counters_.size());
}

Status Admission::restore(std::span<const std::byte> bytes) {
  std::array<std::uint32_t, 2> header{};
  if (bytes.size() < sizeof(header)) return make_error(ErrorCode::kCorrupt, "admission sketch: too short");
  std::memcpy(header.data(), bytes.data(), sizeof(header));
  const std::size_t expected = std::size_t{kDepth} * width_;
  if ((header[1] != 0 && header[1] != expected) || bytes.size() != sizeof(header) + header[1]) {
    return make_error(ErrorCode::kCorrupt, "admission sketch: wrong size");
  }
  keys_ = header[0];
  counters_.resize(header[1]);
  if (header[1] != 0) std::memcpy(counters_.data(), bytes.data() + sizeof(header), header[1]);
  return ok_status();
}

}  // namespace capstan
