#include "ps/table/slab_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "common/assert.h"
#include "common/sanitizers.h"

namespace capstan {
namespace {

constexpr std::size_t kPage = std::size_t{2} << 20;
constexpr std::size_t kLine = 64;
constexpr std::size_t kStep = SlabBlock::kPooledFrom;
// Sizes of blocks: by steps up to 16 KiB, by two steps up to 32 KiB, the largest segment of an index, then
// the largest.
constexpr std::size_t kSteps = 16;
constexpr std::size_t kWideSteps = 8;
constexpr std::size_t kClasses = kSteps + kWideSteps + 1;

// The sanitizer is to see who uses a block that was given back.
constexpr bool kPooled = !kAddressSanitizer;

std::atomic<std::size_t> pages_bytes{0};

std::size_t class_of(std::size_t bytes) {
  const std::size_t steps = (bytes + kStep - 1) / kStep;
  if (steps <= kSteps) return steps - 1;
  return std::min(kSteps + (steps - kSteps + 1) / 2 - 1, kClasses - 1);
}

std::size_t bytes_of(std::size_t size_class) {
  if (size_class < kSteps) return (size_class + 1) * kStep;
  if (size_class == kClasses - 1) return SlabBlock::kPooledMost;
  return (kSteps + (size_class - kSteps + 1) * 2) * kStep;
}

// Aligned to a page of 2 MiB, of which it consists where the kernel has some.
std::byte* map_pages(std::size_t bytes) {
  void* raw = mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CAPSTAN_ASSERT(raw != MAP_FAILED, "out of memory for table rows");
  auto* start = static_cast<std::byte*>(raw);
  const std::size_t skip = (kPage - reinterpret_cast<std::uintptr_t>(start) % kPage) % kPage;
  if (skip > 0) munmap(start, skip);
  munmap(start + skip + bytes, kPage - skip);
  start += skip;
  madvise(start, bytes, MADV_HUGEPAGE);
  pages_bytes += bytes;
  return start;
}

void unmap_pages(std::byte* start, std::size_t bytes) {
  munmap(start, bytes);
  pages_bytes -= bytes;
}

// Blocks of one size. The fullest part of memory is used first: the lowest page that has room.
class BlocksOfASize {
 public:
  std::byte* take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    if (with_room_.empty()) add_page(bytes);
    const auto found = with_room_.begin();
    Page& page = *found->second;
    std::byte* block = page.free.back();
    page.free.pop_back();
    if (page.free.empty()) with_room_.erase(found);
    return block;
  }

  void give_back(std::byte* block, std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    auto* start = block - reinterpret_cast<std::uintptr_t>(block) % kPage;
    const auto found = pages_.find(start);
    found->second.free.push_back(block);
    with_room_[start] = &found->second;
    // One empty page stays, for who takes a block next.
    if (found->second.free.size() < kPage / bytes || with_room_.size() == 1) return;
    with_room_.erase(start);
    pages_.erase(found);
    unmap_pages(start, kPage);
  }

 private:
  struct Page {
    std::vector<std::byte*> free;
  };

  void add_page(std::size_t bytes) {
    std::byte* start = map_pages(kPage);
    Page& page = pages_[start];
    for (std::size_t n = kPage / bytes; n-- > 0;) page.free.push_back(start + n * bytes);
    with_room_[start] = &page;
  }

  std::mutex mutex_;
  std::map<std::byte*, Page> pages_;
  std::map<std::byte*, Page*> with_room_;
};

// Lives as long as any block may, static ones included.
BlocksOfASize& blocks_of(std::size_t size_class) {
  static auto* const all = new std::array<BlocksOfASize, kClasses>;
  return (*all)[size_class];
}

}  // namespace

SlabBlock::SlabBlock(std::size_t bytes) {
  if (bytes < kPooledFrom || !kPooled) {
    bytes_ = bytes;
    data_ = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kLine}));
  } else if (bytes <= kPooledMost) {
    const std::size_t size_class = class_of(bytes);
    bytes_ = bytes_of(size_class);
    data_ = blocks_of(size_class).take(bytes_);
  } else {
    bytes_ = (bytes + kPage - 1) / kPage * kPage;
    data_ = map_pages(bytes_);
  }
}

SlabBlock::~SlabBlock() {
  if (data_ == nullptr) return;
  if (bytes_ < kPooledFrom || !kPooled) {
    ::operator delete (data_, std::align_val_t{kLine});
  } else if (bytes_ <= kPooledMost) {
    blocks_of(class_of(bytes_)).give_back(data_, bytes_);
  } else {
    unmap_pages(data_, bytes_);
  }
}

std::size_t slab_pool_bytes() {
  return pages_bytes;
}

}  // namespace capstan
