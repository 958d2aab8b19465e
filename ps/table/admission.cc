#include "ps/table/admission.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "common/assert.h"
#include "common/sketch_size.h"

namespace capstan {
namespace {

constexpr std::uint64_t kSketchSeed = 0x5be0cd19137e2179ULL;

}  // namespace

Admission::Admission(std::uint32_t min_count, std::uint32_t width)
    : min_count_(min_count), width_(min_count > 1 ? width : 0) {
  CAPSTAN_ASSERT(min_count <= kMaxCount, "min_count is checked by check_table_spec");
  CAPSTAN_ASSERT(min_count <= 1 || std::has_single_bit(width), "a sketch's width is a power of two");
}

bool Admission::admit(Key key) {
  if (width_ == 0) return true;
  if (counters_.empty()) counters_.resize(std::size_t{kSketchDepth} * width_);
  const std::uint64_t hash = combine(kSketchSeed, key);
  const auto first = static_cast<std::uint32_t>(hash);
  const auto step = static_cast<std::uint32_t>(hash >> 32) | 1U;
  std::array<std::uint8_t*, kSketchDepth> cells;
  std::uint32_t seen = kMaxCount;
  for (std::uint32_t i = 0; i < kSketchDepth; ++i) {
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
  const std::size_t width = header[1] / kSketchDepth;
  const bool usable = header[1] == 0 || (width_ != 0 && std::has_single_bit(width) &&
                                         width <= kSketchWidthMax && header[1] % kSketchDepth == 0);
  if (!usable || bytes.size() != sizeof(header) + header[1]) {
    return make_error(ErrorCode::kCorrupt, "admission sketch: wrong size");
  }
  keys_ = header[0];
  counters_.assign(header[1] == 0 ? 0 : std::size_t{kSketchDepth} * width_, 0);
  if (counters_.empty()) return ok_status();
  // A key's place in the narrower row is its place in the wider one, modulo the width.
  const auto* saved = reinterpret_cast<const std::uint8_t*>(bytes.data() + sizeof(header));
  for (std::size_t row = 0; row < kSketchDepth; ++row) {
    for (std::size_t i = 0; i < std::max<std::size_t>(width, width_); ++i) {
      std::uint8_t& counter = counters_[row * width_ + (i & (width_ - 1))];
      counter = std::max(counter, saved[row * width + (i & (width - 1))]);
    }
  }
  return ok_status();
}

}  // namespace capstan
