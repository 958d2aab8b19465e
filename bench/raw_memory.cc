#include "bench/raw_memory.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kIndexBytesARow = 15;

// Zero.
class FlatArray {
 public:
  explicit FlatArray(std::size_t bytes)
      : data_(static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes / kPage + 1) * kPage))) {
    madvise(data_, bytes, MADV_HUGEPAGE);
    std::memset(data_, 0, bytes);
  }
  ~FlatArray() { std::free(data_); }
  FlatArray(const FlatArray&) = delete;
  FlatArray& operator=(const FlatArray&) = delete;
  std::byte* at(std::size_t offset) const { return data_ + offset; }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;
  std::byte* data_;
};

[[gnu::always_inline]] inline void prefetch(const std::byte* at, std::size_t bytes) {
  for (std::size_t offset = 0; offset < bytes; offset += kLine) __builtin_prefetch(at + offset);
}

}  // namespace

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void measure_raw_gathers(std::size_t rows, std::size_t dim, const GatherMeasure& measure) {
  const std::size_t weights = dim * sizeof(float), lines = rows * kIndexBytesARow / kLine;
  const FlatArray flat(rows * weights);
  const FlatArray index(lines * kLine);
  Rng rng(1);
  for (std::size_t i = 0; i < lines; ++i) {
    const std::uint64_t row = rng.below(rows);
    std::memcpy(index.at(i * kLine), &row, sizeof(row));
  }
  std::vector<float> out(kGatherBatch * dim);
  std::vector<std::uint64_t> places(kGatherBatch), found(kGatherBatch);
  const auto copy = [&](std::size_t i, std::uint64_t row) {
    std::memcpy(out.data() + i * dim, flat.at(row * weights), weights);
  };
  measure("random gather", [&] {
    constexpr std::size_t kAhead = 16;
    for (auto& place : places) place = rng.next() % rows;
    for (std::size_t i = 0; i < kGatherBatch; ++i) {
      if (i + kAhead < kGatherBatch) prefetch(flat.at(places[i + kAhead] * weights), weights);
      copy(i, places[i]);
    }
  });
  measure("two-level random gather", [&] {
    // A block of lines is on its way while the one before is read and that before it copied.
    constexpr std::size_t kBlock = 16;
    for (auto& place : places) place = rng.next() % lines;
    for (std::size_t start = 0; start < kGatherBatch + 2 * kBlock; start += kBlock) {
      for (std::size_t i = start; i < std::min(start + kBlock, kGatherBatch); ++i)
        __builtin_prefetch(index.at(places[i] * kLine));
      if (start >= kBlock && start < kGatherBatch + kBlock) {
        for (std::size_t i = start - kBlock; i < start; ++i) {
          std::memcpy(&found[i], index.at(places[i] * kLine), sizeof(found[i]));
          prefetch(flat.at(found[i] * weights), weights);
        }
      }
      if (start < 2 * kBlock) continue;
      for (std::size_t i = start - 2 * kBlock; i < start - kBlock; ++i) copy(i, found[i]);
    }
  });
}

}  // namespace capstan
