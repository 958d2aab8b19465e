// RowSlab: the rows of one table and shard in slots 0..size-1, without holes. A record is the 8-byte key
// followed by the row's bytes. Records lie in chunks of some 8 KiB from the pool that all tables share, so a
// large table grows without moving a row; as long as there is but one chunk it doubles instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "common/hash.h"
#include "ps/table/slab_pool.h"

namespace capstan {

class RowSlab {
 public:
  // REQUIRES: row_bytes is a multiple of 4.
  explicit RowSlab(std::size_t row_bytes);
  RowSlab(const RowSlab&) = delete;
  RowSlab& operator=(const RowSlab&) = delete;

  std::uint32_t size() const { return size_; }
  Key key(std::uint32_t slot) const {
    Key key = 0;
    std::memcpy(&key, record(slot), sizeof(key));
    return key;
  }
  // Until the next append().
  std::byte* row(std::uint32_t slot) { return record(slot) + sizeof(Key); }
  const std::byte* row(std::uint32_t slot) const { return record(slot) + sizeof(Key); }
  // Asks for the record's cache lines, the first few of a long one (the hardware fetches on).
  // Always inlined: GCC takes a function that only prefetches for pure and drops the call.
  [[gnu::always_inline]] void prefetch(std::uint32_t slot) const {
    const std::byte* at = record(slot);
    for (std::size_t offset = 0; offset < prefetch_bytes_; offset += kLine) __builtin_prefetch(at + offset);
    __builtin_prefetch(at + prefetch_bytes_ - 1);
  }
  [[gnu::always_inline]] void prefetch_key(std::uint32_t slot) const { __builtin_prefetch(record(slot)); }

  // The new slot is size() - 1; its row bytes are not initialised.
  std::uint32_t append(Key key);
  // Whole records, one after the other, for the slots from size() on.
  void append_records(std::span<const std::byte> records);
  // Moves the last record into `slot` and drops the last slot.
  void remove(std::uint32_t slot);
  void clear();
  // Gives back chunks that no row uses.
  void trim();

  // Memory of all chunks, in use or not.
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kLine = 64;
  __extension__ using Wide = unsigned __int128;

  // Slots are divided by the records of a chunk: by a multiplication with the inverse, in 64.64 bits.
  std::uint32_t chunk_of(std::uint32_t slot) const {
    return static_cast<std::uint32_t>((static_cast<Wide>(inverse_) * slot) >> 64);
  }
  std::byte* record(std::uint32_t slot) const {
    const std::uint32_t chunk = chunk_of(slot);
    return starts_[chunk] + (slot - chunk * per_chunk_) * record_bytes_;
  }
  std::size_t capacity() const;
  std::size_t few_records() const;
  void make_room();
  void resize_first(std::size_t records);
  void add(std::size_t records);
  void drop_last();

  std::size_t record_bytes_;
  std::size_t prefetch_bytes_;
  std::uint32_t per_chunk_;
  std::uint64_t inverse_;
  std::uint32_t first_records_ = 0;  // that the first chunk has room for
  std::uint32_t size_ = 0;
  std::size_t bytes_ = 0;
  std::vector<SlabBlock> chunks_;
  std::vector<std::byte*> starts_;  // of the chunks
};

}  // namespace capstan
