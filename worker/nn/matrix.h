// Matrices: row-major views of floats, and the arena that holds what one micro-batch computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace capstan {

// A view of [rows, cols] floats without gaps between rows.
template <typename T>
struct MatrixOf {
  T* data = nullptr;
  std::uint32_t rows = 0;
  std::uint32_t cols = 0;

  std::size_t size() const { return std::size_t{rows} * cols; }
  bool empty() const { return size() == 0; }
  T* row(std::size_t i) const { return data + i * cols; }
  T& at(std::size_t i, std::size_t j) const { return data[i * cols + j]; }
  std::span<T> values() const { return {data, size()}; }
  MatrixOf rows_from(std::uint32_t first, std::uint32_t count) const { return {row(first), count, cols}; }
  operator MatrixOf<const T>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, rows, cols};
  }
};
using Matrix = MatrixOf<float>;
using ConstMatrix = MatrixOf<const float>;

// A bump allocator. After a first micro-batch of the largest kind it asks the system for nothing more.
class Arena {
 public:
  // Aligned to 64, not initialised; valid until reset().
  void* allocate(std::size_t bytes);
  Matrix matrix(std::uint32_t rows, std::uint32_t cols);  // not initialised
  Matrix zeros(std::uint32_t rows, std::uint32_t cols);
  template <typename T>
  std::span<T> array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
    return {static_cast<T*>(allocate(count * sizeof(T))), count};
  }
  template <typename T>
  std::span<const T> copy(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto out = array<T>(values.size());
    std::uninitialized_copy(values.begin(), values.end(), out.begin());
    return out;
  }

  // Gives everything back and joins what was allocated in pieces, so that the next round fits into one piece.
  void reset();
  std::size_t capacity() const;

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(std::byte* pointer) const { std::free(pointer); }
  };
  struct Block {
    std::unique_ptr<std::byte, Free> data;
    std::size_t size = 0;
  };
  void add_block(std::size_t size);

  std::vector<Block> blocks_;  // the last one is being filled
  std::size_t used_ = 0;       // of the last block
};

}  // namespace capstan
