#include "ps/table/row_slab.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::size_t kFirstBytes = 512;
constexpr std::size_t kSmall = std::size_t{8} << 10;
constexpr std::size_t kMiddle = SlabBlock::kPooledMost;
constexpr std::size_t kLarge = std::size_t{2} << 20;
constexpr std::size_t kMaxPrefetch = 512;

// In whole chunks of `usual` bytes where rows are short; a long one takes more.
std::size_t rows_of(std::size_t usual, std::size_t row_bytes) {
  for (std::size_t bytes = usual; bytes <= SlabBlock::kPooledMost; bytes *= 2) {
    if (bytes >= row_bytes && bytes % row_bytes <= bytes / 8) return bytes / row_bytes;
  }
  return std::max<std::size_t>(1, kLarge / row_bytes);
}

}  // namespace

RowSlab::RowSlab(std::size_t weight_bytes, std::size_t tail_bytes)
    : weight_bytes_(weight_bytes),
      tail_bytes_(tail_bytes),
      apart_(weight_bytes % kLine == 0),
      weight_stride_(apart_ ? weight_bytes : weight_bytes + tail_bytes),
      tail_stride_(apart_ ? tail_bytes : weight_stride_),
      prefetch_weights_(std::min(weight_bytes, kMaxPrefetch)),
      prefetch_tail_(std::min(tail_bytes, kMaxPrefetch)),
      shift_(static_cast<int>(std::bit_width(rows_of(kLarge, weight_bytes + tail_bytes)))),
      mask_((1U << shift_) - 1) {}

std::size_t RowSlab::few_rows() const {
  return std::max<std::size_t>(1, kFirstBytes / (weight_bytes_ + tail_bytes_));
}

// At most an eighth of what there is, once there are some.
std::size_t RowSlab::rows_of_next_chunk() const {
  const std::size_t row_bytes = weight_bytes_ + tail_bytes_;
  if (bytes_ >= 16 * kLarge) return rows_of(kLarge, row_bytes);
  return rows_of(bytes_ >= 8 * kMiddle ? kMiddle : kSmall, row_bytes);
}

void RowSlab::make_room() {
  const std::size_t whole = rows_of(kSmall, weight_bytes_ + tail_bytes_);
  const std::size_t first = chunks_.empty() ? 0 : chunk_rows_[0];
  if (chunks_.size() <= 1 && first < whole) {
    resize_first(std::min(whole, std::max(few_rows(), first * 2)));
  } else {
    add_chunk(rows_of_next_chunk());
  }
}

void RowSlab::add_chunk(std::size_t rows) {
  const SlabBlock& block = blocks_.emplace_back(rows * (weight_bytes_ + tail_bytes_));
  std::byte* start = block.data();
  CAPSTAN_ASSERT(chunks_.size() < (std::size_t{kNone} >> shift_), "a table has too many rows in one shard");
  chunks_.push_back({start, start + (apart_ ? rows * weight_bytes_ : weight_bytes_)});
  chunk_rows_.push_back(static_cast<std::uint32_t>(rows));
  bytes_ += block.bytes();
  fresh_ = slot_of(chunks_.size() - 1, 0);
  fresh_end_ = slot_of(chunks_.size() - 1, rows);
}

// REQUIRES: there is no other chunk, and its rows are in the slots below `rows`.
void RowSlab::resize_first(std::size_t rows) {
  const std::vector<SlabBlock> before = std::exchange(blocks_, {});
  const std::vector<Chunk> from = std::exchange(chunks_, {});
  chunk_rows_.clear();
  bytes_ = 0;
  const std::uint32_t used = std::min(fresh_, static_cast<std::uint32_t>(rows));
  add_chunk(rows);
  fresh_ = used;
  if (used == 0) return;
  std::memcpy(chunks_[0].weights, from[0].weights, used * weight_stride_);
  if (apart_) std::memcpy(chunks_[0].tails, from[0].tails, used * tail_stride_);
}

std::uint32_t RowSlab::take() {
  ++size_;
  if (free_ != kNone) {
    const std::uint32_t slot = free_;
    std::memcpy(&free_, weights(slot), sizeof(free_));
    return slot;
  }
  if (fresh_ == fresh_end_) make_room();
  return fresh_++;
}

void RowSlab::give_back(std::uint32_t slot) {
  CAPSTAN_ASSERT(size_ > 0, "no row is there");
  std::memcpy(weights(slot), &free_, sizeof(free_));
  free_ = slot;
  --size_;
}

void RowSlab::clear() {
  size_ = 0;
  free_ = kNone;
  fresh_ = fresh_end_ = 0;
  bytes_ = 0;
  chunks_.clear();
  chunk_rows_.clear();
  blocks_.clear();
}

// The slots from here on are not needed; kNone when all are. REQUIRES: there is a row.
std::uint32_t RowSlab::bound() const {
  std::size_t kept = 0;
  for (std::size_t rows = 0; rows < size_; ++kept) rows += chunk_rows_[kept];
  if (kept < chunks_.size()) return slot_of(kept, 0);
  const std::size_t few = few_rows(), fits = (size_ + few - 1) / few * few;
  return kept == 1 && fits < chunk_rows_[0] ? static_cast<std::uint32_t>(fits) : kNone;
}

void RowSlab::keep_free_below(std::uint32_t bound) {
  std::uint32_t kept = kNone;
  for (std::uint32_t slot = free_; slot != kNone;) {
    std::uint32_t before = kNone;
    std::memcpy(&before, weights(slot), sizeof(before));
    if (slot < bound) {
      std::memcpy(weights(slot), &kept, sizeof(kept));
      kept = slot;
    }
    slot = before;
  }
  free_ = kept;
  fresh_end_ = std::max(fresh_, std::min(fresh_end_, bound));
}

// REQUIRES: no row is in a slot from `bound` on.
void RowSlab::cut_at(std::uint32_t bound) {
  if (const std::uint32_t first_rows = bound & mask_; first_rows != 0) {
    fresh_ = std::min(fresh_, bound);
    resize_first(first_rows);
    return;
  }
  const std::size_t kept = bound >> shift_;
  for (std::size_t chunk = kept; chunk < blocks_.size(); ++chunk) bytes_ -= blocks_[chunk].bytes();
  blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(kept), blocks_.end());
  chunks_.resize(kept);
  chunk_rows_.resize(kept);
  if (fresh_ >= bound) fresh_ = fresh_end_ = slot_of(kept - 1, chunk_rows_[kept - 1]);
}

std::uint32_t RowSlab::moved(std::uint32_t slot) {
  --size_;
  const std::uint32_t to = take();
  std::memcpy(weights(to), weights(slot), weight_bytes_);
  std::memcpy(tail(to), tail(slot), tail_bytes_);
  return to;
}

}  // namespace capstan
