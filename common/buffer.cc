#include "common/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <new>

#include "common/sanitizers.h"

namespace capstan {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::byte* new_block(std::size_t size) {
  return static_cast<std::byte*>(::operator new(size == 0 ? 1 : size, kAlignment));
}

void delete_block(std::byte* data) {
  ::operator delete(data, kAlignment);
}

// Blocks as large as messages and checkpoint sections, for whoever needs such a one next: given back to the
// kernel, every page of them would be cleared and mapped again.
class KeptBlocks {
 public:
  static constexpr std::size_t kLarge = std::size_t{1} << 18;

  struct Block {
    std::byte* data = nullptr;
    std::size_t size = 0;

    std::align_val_t alignment() const { return size < kHugePage ? kAlignment : std::align_val_t{kHugePage}; }
  };

  // Of huge pages where it spans any: a disk fills it in a third of the time, having fewer pieces to fill.
  static Block make(std::size_t size) {
    Block block{nullptr, size < kHugePage ? size : (size + kHugePage - 1) / kHugePage * kHugePage};
    block.data = static_cast<std::byte*>(::operator new(block.size, block.alignment()));
    if (block.size >= kHugePage) ::madvise(block.data, block.size, MADV_HUGEPAGE);
    return block;
  }

  // At most twice as large as asked for.
  Block take(std::size_t size) {
    const std::scoped_lock lock(mutex_);
    auto best = blocks_.end();
    for (auto each = blocks_.begin(); each != blocks_.end(); ++each) {
      const bool fits = each->size >= size && each->size <= 2 * size;
      if (fits && (best == blocks_.end() || each->size < best->size)) best = each;
    }
    if (best == blocks_.end()) return {};
    const Block taken = *best;
    *best = blocks_.back();
    blocks_.pop_back();
    bytes_ -= taken.size;
    return taken;
  }

  bool keep(Block block) {
    constexpr std::size_t kBytesMax = std::size_t{64} << 20, kBlocksMax = 64;
    const std::scoped_lock lock(mutex_);
    if (bytes_ + block.size > kBytesMax || blocks_.size() == kBlocksMax) return false;
    blocks_.push_back(block);
    bytes_ += block.size;
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<Block> blocks_;
  std::size_t bytes_ = 0;
};

// Lives as long as any buffer may, static ones included.
KeptBlocks& kept_blocks() {
  static auto* const blocks = new KeptBlocks;
  return *blocks;
}

Buffer allocate_large(std::size_t size) {
  KeptBlocks::Block block = kept_blocks().take(size);
  if (block.data == nullptr) block = KeptBlocks::make(size);
  const auto give_back = [block](std::byte*) {
    if (!kept_blocks().keep(block)) ::operator delete(block.data, block.alignment());
  };
  return Buffer(std::shared_ptr<std::byte>(block.data, give_back), size);
}

}  // namespace

Buffer Buffer::allocate(std::size_t size) {
  // The sanitizer is to see who uses a block that was given back.
  if (!kAddressSanitizer && size >= KeptBlocks::kLarge) return allocate_large(size);
  return Buffer(std::shared_ptr<std::byte>(new_block(size), delete_block), size);
}

Buffer Buffer::copy_of(std::span<const std::byte> bytes) {
  Buffer buffer = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.mutable_data(), bytes.data(), bytes.size());
  return buffer;
}

}  // namespace capstan
