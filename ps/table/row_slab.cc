#include "ps/table/row_slab.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::size_t kSmallPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kFirstSlabBytes = 512;
constexpr std::size_t kMapFrom = std::size_t{64} << 10;
constexpr std::size_t kHugeFrom = 2 * kHugePage;
constexpr std::size_t kMaxPrefetch = 512;

std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

// `size` zero bytes aligned to `page`, not backed by memory before they are touched.
std::byte* map_aligned(std::size_t size, std::size_t page) {
  const std::size_t margin = page > kSmallPage ? page : 0;
  void* raw = mmap(nullptr, size + margin, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CAPSTAN_ASSERT(raw != MAP_FAILED, "out of memory for table rows");
  auto* start = static_cast<std::byte*>(raw);
  const std::size_t skip =
      round_up(reinterpret_cast<std::uintptr_t>(start), page) - reinterpret_cast<std::uintptr_t>(start);
  if (skip > 0) munmap(start, skip);
  if (margin > skip) munmap(start + skip + size, margin - skip);
  start += skip;
  if (page == kHugePage) madvise(start, size, MADV_HUGEPAGE);
  return start;
}

}  // namespace

RowSlab::RowSlab(std::size_t row_bytes)
    : record_bytes_(row_bytes + sizeof(Key)), prefetch_bytes_(std::min(record_bytes_, kMaxPrefetch)) {
  const std::size_t records = std::max<std::size_t>(1, kFirstSlabBytes / record_bytes_);
  base_shift_ = static_cast<int>(std::bit_width(records)) - 1;
}

RowSlab::~RowSlab() {
  for (int k = 0; k < static_cast<int>(slabs_.size()); ++k) close(k);
}

std::uint32_t RowSlab::append(Key key) {
  const std::uint32_t slot = size_;
  const int k = slab_of(slot);
  reach(opened(k), (slot - first_slot(k) + std::size_t{1}) * record_bytes_);
  ++size_;
  std::memcpy(record(slot), &key, sizeof(key));
  return slot;
}

// Their pages are asked for at once: a fault for each would take longer than the copy.
void RowSlab::append_records(std::span<const std::byte> records) {
  while (!records.empty()) {
    const int k = slab_of(size_);
    Slab& slab = opened(k);
    const std::size_t count =
        std::min<std::size_t>(records.size() / record_bytes_, first_slot(k + 1) - size_);
    const std::size_t size = count * record_bytes_;
    const std::size_t before = reach(slab, (size_ - first_slot(k) + count) * record_bytes_);
    if (slab.resident > before) madvise(slab.data + before, slab.resident - before, MADV_POPULATE_WRITE);
    std::memcpy(record(size_), records.data(), size);
    size_ += static_cast<std::uint32_t>(count);
    records = records.subspan(size);
  }
}

RowSlab::Slab& RowSlab::opened(int k) {
  Slab& slab = slabs_[static_cast<std::size_t>(k)];
  if (slab.data == nullptr) open(k);
  return slab;
}

// Counts the pages up to the slab's byte `end` as used. Gives how far they went before.
std::size_t RowSlab::reach(Slab& slab, std::size_t end) {
  const std::size_t before = slab.resident;
  if (end <= before) return before;
  slab.resident = std::min(round_up(end, slab.page), slab.size);
  bytes_ += slab.resident - before;
  return before;
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
  for (int k = 0; k < static_cast<int>(slabs_.size()); ++k) {
    Slab& slab = slabs_[static_cast<std::size_t>(k)];
    if (slab.data == nullptr) continue;
    if (size_ <= first_slot(k)) {
      close(k);
      continue;
    }
    if (slab.page == 0) continue;
    const std::size_t records = std::min(size_ - first_slot(k), 1U << (base_shift_ + k));
    const std::size_t used = std::min(round_up(records * record_bytes_, slab.page), slab.size);
    if (used >= slab.resident) continue;
    madvise(slab.data + used, slab.resident - used, MADV_DONTNEED);
    bytes_ -= slab.resident - used;
    slab.resident = used;
  }
}

void RowSlab::open(int k) {
  Slab& slab = slabs_[static_cast<std::size_t>(k)];
  const std::size_t wanted = record_bytes_ << (base_shift_ + k);
  if (wanted < kMapFrom) {
    slab = {static_cast<std::byte*>(::operator new (wanted, std::align_val_t{kLine})), wanted, wanted, 0};
    bytes_ += wanted;
    return;
  }
  const std::size_t page = wanted >= kHugeFrom ? kHugePage : kSmallPage;
  const std::size_t size = round_up(wanted, kSmallPage);
  slab = {map_aligned(size, page), size, 0, page};
}

void RowSlab::close(int k) {
  Slab& slab = slabs_[static_cast<std::size_t>(k)];
  if (slab.data == nullptr) return;
  if (slab.page == 0) {
    ::operator delete (slab.data, std::align_val_t{kLine});
  } else {
    munmap(slab.data, slab.size);
  }
  bytes_ -= slab.resident;
  slab = Slab{};
}

}  // namespace capstan
