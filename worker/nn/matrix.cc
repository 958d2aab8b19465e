#include "worker/nn/matrix.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::size_t kFirstBlock = std::size_t{64} << 10;

}  // namespace

void* Arena::allocate(std::size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (blocks_.empty() || blocks_.back().size - used_ < bytes) {
    add_block(std::max({bytes, kFirstBlock, capacity()}));
  }
  void* const result = blocks_.back().data.get() + used_;
  used_ += bytes;
  return result;
}

Matrix Arena::matrix(std::uint32_t rows, std::uint32_t cols) {
  return {array<float>(std::size_t{rows} * cols).data(), rows, cols};
}

Matrix Arena::zeros(std::uint32_t rows, std::uint32_t cols) {
  const Matrix result = matrix(rows, cols);
  std::fill_n(result.data, result.size(), 0.0F);
  return result;
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    const std::size_t total = capacity();
    blocks_.clear();
    add_block(total);
  }
  used_ = 0;
}

std::size_t Arena::capacity() const {
  std::size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

void Arena::add_block(std::size_t size) {
  Block block;
  block.data.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, size)));
  CAPSTAN_ASSERT(block.data != nullptr, "out of memory");
  block.size = size;
  blocks_.push_back(std::move(block));
  used_ = 0;
}

}  // namespace capstan
