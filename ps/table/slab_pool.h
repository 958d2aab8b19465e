// SlabPool: memory for rows and their indexes, on 2 MiB pages. Random rows cost a third of the time there
// that they take on 4 KiB pages, but 256 shards of many small tables cannot have such a page each: so all
// tables of the process share them, in blocks of a few sizes.
#pragma once

#include <cstddef>
#include <utility>

namespace capstan {

// One block, aligned to a cache line; its bytes are not initialised. Thread-safe to make and destroy.
class SlabBlock {
 public:
  static constexpr std::size_t kPooledFrom = std::size_t{1} << 10;   // smaller ones come from the heap
  static constexpr std::size_t kPooledMost = std::size_t{64} << 10;  // larger ones are mapped alone

  SlabBlock() = default;
  explicit SlabBlock(std::size_t bytes);
  ~SlabBlock();
  SlabBlock(SlabBlock&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  SlabBlock& operator=(SlabBlock&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  SlabBlock(const SlabBlock&) = delete;
  SlabBlock& operator=(const SlabBlock&) = delete;

  std::byte* data() const { return data_; }
  // What it takes: no less than was asked for, at most an eighth more from 8 KiB on.
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// The pages that blocks of all tables are in, in bytes.
std::size_t slab_pool_bytes();

}  // namespace capstan
