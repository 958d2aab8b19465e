// RowSlab: the rows of one table and shard, each in a slot that stays its own while the row lives. A row is
// its weights and its tail (optimizer state and meta). Where the weights fill whole cache lines they lie
// together at the beginning of the chunk and the tails behind all of them, so that a pull touches the lines
// of the weights alone; else a row's tail follows its weights. Chunks come from the pool that all tables
// share, the larger the more there are, so that a large table grows without moving a row; the first doubles
// instead until it is a whole one. Which row is in which slot, only KeyIndex knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "ps/table/slab_pool.h"

namespace capstan {

class RowSlab {
 public:
  // REQUIRES: both are multiples of 4.
  RowSlab(std::size_t weight_bytes, std::size_t tail_bytes);
  RowSlab(const RowSlab&) = delete;
  RowSlab& operator=(const RowSlab&) = delete;

  std::size_t size() const { return size_; }
  // Until the next take() or trim(); aligned to 4.
  std::byte* weights(std::uint32_t slot) const {
    return chunks_[slot >> shift_].weights + (slot & mask_) * weight_stride_;
  }
  std::byte* tail(std::uint32_t slot) const {
    return chunks_[slot >> shift_].tails + (slot & mask_) * tail_stride_;
  }
  // Ask for the cache lines, the first few of long ones (the hardware fetches on).
  // Always inlined: GCC takes a function that only prefetches for pure and drops the call.
  [[gnu::always_inline]] void prefetch_weights(std::uint32_t slot) const {
    const std::byte* at = weights(slot);
    for (std::size_t offset = 0; offset < prefetch_weights_; offset += kLine) __builtin_prefetch(at + offset);
    if (!apart_) __builtin_prefetch(at + prefetch_weights_ - 1);
  }
  [[gnu::always_inline]] void prefetch_tail(std::uint32_t slot) const {
    const std::byte* at = tail(slot);
    for (std::size_t offset = 0; offset < prefetch_tail_; offset += kLine) __builtin_prefetch(at + offset);
    __builtin_prefetch(at + prefetch_tail_ - 1);
  }
  [[gnu::always_inline]] void prefetch_row(std::uint32_t slot) const {
    prefetch_weights(slot);
    prefetch_tail(slot);
  }

  // A slot for one row more; its bytes are not initialised.
  std::uint32_t take();
  void give_back(std::uint32_t slot);
  void clear();
  // Gives back memory that the rows do not need: rows(move) calls move(std::uint32_t& slot) for every row,
  // which may get another slot.
  template <typename Rows>
  void trim(const Rows& rows);

  // Memory of all chunks, in use or not.
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kLine = 64;
  static constexpr std::uint32_t kNone = ~0U;

  struct Chunk {
    std::byte* weights;
    std::byte* tails;
  };

  std::uint32_t slot_of(std::size_t chunk, std::size_t row) const {
    return static_cast<std::uint32_t>((chunk << shift_) + row);
  }
  std::size_t few_rows() const;
  std::size_t rows_of_next_chunk() const;
  void make_room();
  void add_chunk(std::size_t rows);
  void resize_first(std::size_t rows);
  std::uint32_t bound() const;
  void keep_free_below(std::uint32_t bound);
  void cut_at(std::uint32_t bound);
  std::uint32_t moved(std::uint32_t slot);

  std::size_t weight_bytes_;
  std::size_t tail_bytes_;
  bool apart_;  // tails lie behind all weights of the chunk
  std::size_t weight_stride_;
  std::size_t tail_stride_;
  std::size_t prefetch_weights_;
  std::size_t prefetch_tail_;
  int shift_;  // slot = chunk << shift_ | row of the chunk
  std::uint32_t mask_;
  std::size_t size_ = 0;
  std::uint32_t free_ = kNone;  // the last slot that was given back; in its weights the one before
  std::uint32_t fresh_ = 0;     // slots from here to fresh_end_, of the last chunk, were not taken yet
  std::uint32_t fresh_end_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> chunk_rows_;  // that each has room for
  std::vector<SlabBlock> blocks_;
};

template <typename Rows>
void RowSlab::trim(const Rows& rows) {
  if (size_ == 0) return clear();
  const std::uint32_t end = bound();
  if (end == kNone) return;
  keep_free_below(end);
  rows([&](std::uint32_t& slot) {
    if (slot >= end) slot = moved(slot);
  });
  cut_at(end);
}

}  // namespace capstan
