// RowSlab: the rows of one table and shard in slots 0..size-1, without holes. A record is the 8-byte key
// followed by the row's bytes. Slabs double in size, so rows never move when the table grows; large slabs are
// mapped on 2 MiB pages and take memory only as rows reach into them, small ones come from the heap.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "common/hash.h"

namespace capstan {

class RowSlab {
 public:
  // REQUIRES: row_bytes is a multiple of 4.
  explicit RowSlab(std::size_t row_bytes);
  ~RowSlab();
  RowSlab(const RowSlab&) = delete;
  RowSlab& operator=(const RowSlab&) = delete;

  std::uint32_t size() const { return size_; }
  Key key(std::uint32_t slot) const {
    Key key = 0;
    std::memcpy(&key, record(slot), sizeof(key));
    return key;
  }
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
  // Gives memory that no row uses back to the system.
  void trim();

  // Memory that is or was in use since the last trim(), in whole pages for mapped slabs.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Slab {
    std::byte* data = nullptr;
    std::size_t size = 0;      // of the mapping or heap block
    std::size_t resident = 0;  // bytes counted in bytes_
    std::size_t page = 0;      // 0: from the heap
  };

  std::byte* record(std::uint32_t slot) const {
    const int k = slab_of(slot);
    return slabs_[static_cast<std::size_t>(k)].data + (slot - first_slot(k)) * record_bytes_;
  }
  int slab_of(std::uint32_t slot) const {
    return static_cast<int>(std::bit_width((slot >> base_shift_) + 1)) - 1;
  }
  std::uint32_t first_slot(int slab) const { return ((1U << slab) - 1U) << base_shift_; }
  Slab& opened(int slab);
  std::size_t reach(Slab& slab, std::size_t end);
  void open(int slab);
  void close(int slab);

  static constexpr std::size_t kLine = 64;

  std::size_t record_bytes_;
  std::size_t prefetch_bytes_;
  int base_shift_;  // slab k holds 2^(base_shift + k) records
  std::uint32_t size_ = 0;
  std::size_t bytes_ = 0;
  std::array<Slab, 32> slabs_;
};

}  // namespace capstan
