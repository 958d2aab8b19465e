#include "ps/table/row_slab.h"

#include <algorithm>
#include <utility>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::size_t kFirstBytes = 512;
constexpr std::size_t kChunkBytes = std::size_t{8} << 10;
constexpr std::size_t kMaxPrefetch = 512;

// The smallest chunk of which no more than an eighth is left over.
std::size_t records_of_chunk(std::size_t record_bytes) {
  for (std::size_t bytes = kChunkBytes; bytes <= SlabBlock::kPooledMost; bytes *= 2) {
    if (bytes >= record_bytes && bytes % record_bytes <= bytes / 8) return bytes / record_bytes;
  }
  constexpr std::size_t kLong = std::size_t{2} << 20;
  return std::max<std::size_t>(1, kLong / record_bytes);
}

}  // namespace

// inverse = floor(2^64 / n) + 1 divides every slot below 2^32 rightly; for n = 1 there is no such number
// below 2^64, so that a chunk has two records at least.
RowSlab::RowSlab(std::size_t row_bytes)
    : record_bytes_(row_bytes + sizeof(Key)),
      prefetch_bytes_(std::min(record_bytes_, kMaxPrefetch)),
      per_chunk_(static_cast<std::uint32_t>(std::max<std::size_t>(2, records_of_chunk(record_bytes_)))),
      inverse_(~std::uint64_t{0} / per_chunk_ + 1) {}

std::size_t RowSlab::capacity() const {
  return chunks_.size() <= 1 ? first_records_ : chunks_.size() * std::size_t{per_chunk_};
}

// The first chunk doubles until it is a whole one.
void RowSlab::make_room() {
  if (first_records_ == per_chunk_) return add(per_chunk_);
  resize_first(std::max(few_records(), std::size_t{first_records_} * 2));
}

std::size_t RowSlab::few_records() const {
  return std::max<std::size_t>(1, kFirstBytes / record_bytes_);
}

// REQUIRES: there is no other chunk.
void RowSlab::resize_first(std::size_t records) {
  const std::vector<SlabBlock> before = std::exchange(chunks_, {});
  starts_.clear();
  bytes_ = 0;
  first_records_ = static_cast<std::uint32_t>(std::min<std::size_t>(records, per_chunk_));
  add(first_records_);
  if (size_ > 0) std::memcpy(starts_[0], before[0].data(), size_ * record_bytes_);
}

void RowSlab::add(std::size_t records) {
  SlabBlock& chunk = chunks_.emplace_back(records * record_bytes_);
  starts_.push_back(chunk.data());
  bytes_ += chunk.bytes();
}

void RowSlab::drop_last() {
  bytes_ -= chunks_.back().bytes();
  chunks_.pop_back();
  starts_.pop_back();
  if (chunks_.empty()) first_records_ = 0;
}

std::uint32_t RowSlab::append(Key key) {
  while (size_ >= capacity()) make_room();
  const std::uint32_t slot = size_++;
  std::memcpy(record(slot), &key, sizeof(key));
  return slot;
}

void RowSlab::append_records(std::span<const std::byte> records) {
  while (!records.empty()) {
    while (size_ >= capacity()) make_room();
    const std::size_t left_in_chunk =
        std::min<std::size_t>(capacity(), (chunk_of(size_) + 1) * std::size_t{per_chunk_}) - size_;
    const std::size_t count = std::min(records.size() / record_bytes_, left_in_chunk);
    std::memcpy(record(size_), records.data(), count * record_bytes_);
    size_ += static_cast<std::uint32_t>(count);
    records = records.subspan(count * record_bytes_);
  }
}

void RowSlab::remove(std::uint32_t slot) {
  CAPSTAN_ASSERT(slot < size_, "no such slot");
  const std::uint32_t last = size_ - 1;
  if (slot != last) std::memcpy(record(slot), record(last), record_bytes_);
  size_ = last;
}

void RowSlab::clear() {
  size_ = 0;
  trim();
}

void RowSlab::trim() {
  const std::size_t used = (size_ + std::size_t{per_chunk_} - 1) / per_chunk_;
  while (chunks_.size() > used) drop_last();
  const std::size_t few = few_records(), fits = (size_ + few - 1) / few * few;
  if (chunks_.size() == 1 && fits < first_records_) resize_first(fits);
}

}  // namespace capstan
