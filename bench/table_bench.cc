// How far is an EmbeddingTable from the machine's own speed of random access?
//   bench_table [rows] [dim]
// Prints rows a second on one core for: copying the weights of random rows out of one flat array whose places
// are known, the same by a line of an index first (the bound of a look-up), gather and push of random present
// keys, pushing new keys and reading absent ones; then memory and the longest push.
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/hash.h"
#include "common/rng.h"
#include "ps/table/embedding_table.h"

namespace capstan {
namespace {

constexpr std::size_t kBatch = 8192;
constexpr std::size_t kLine = 64;

// Of this thread's processor time, so that other work on the machine does not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Timing {
  double total = 0.0;
  double longest = 0.0;
};

// Calls body(batch number) and prints the rate over all batches.
template <typename Body>
Timing measure(const char* what, std::size_t batches, const Body& body) {
  Timing timing;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const double start = processor_seconds();
    body(batch);
    const double took = processor_seconds() - start;
    timing.total += took;
    timing.longest = std::max(timing.longest, took);
  }
  const double rows = static_cast<double>(batches * kBatch);
  std::printf("%-34s %8.2f M rows/s   longest batch %7.1f us\n", what, rows / timing.total / 1e6,
              timing.longest * 1e6);
  return timing;
}

// On pages of 2 MiB, zero.
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

// The bounds: in both the places are known. Of the index only a line is read, of which nothing is compared;
// it has as many lines as KeyIndex has for so many rows.
Timing raw_gathers(std::size_t rows, std::size_t dim, std::size_t batches) {
  const std::size_t weights = dim * sizeof(float), lines = rows * 15 / kLine;
  const FlatArray flat(rows * weights);
  const FlatArray index(lines * kLine);
  Rng rng(1);
  for (std::size_t i = 0; i < lines; ++i) {
    const std::uint64_t row = rng.below(rows);
    std::memcpy(index.at(i * kLine), &row, sizeof(row));
  }
  std::vector<float> out(kBatch * dim);
  std::vector<std::size_t> places(kBatch);
  measure("random gather", batches, [&](std::size_t) {
    for (std::size_t& place : places) place = rng.next() % rows;
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (i + 16 < kBatch) prefetch(flat.at(places[i + 16] * weights), weights);
      std::memcpy(out.data() + i * dim, flat.at(places[i] * weights), weights);
    }
  });
  // A block of lines is on its way while the one before is read and that before it copied.
  constexpr std::size_t kBlock = 16;
  std::vector<std::uint64_t> found(kBatch);
  return measure("two-level random gather", batches, [&](std::size_t) {
    for (std::size_t& place : places) place = rng.next() % lines;
    for (std::size_t start = 0; start < kBatch + 2 * kBlock; start += kBlock) {
      for (std::size_t i = start; i < std::min(start + kBlock, kBatch); ++i)
        __builtin_prefetch(index.at(places[i] * kLine));
      if (start >= kBlock && start < kBatch + kBlock) {
        for (std::size_t i = start - kBlock; i < start; ++i) {
          std::memcpy(&found[i], index.at(places[i] * kLine), sizeof(found[i]));
          prefetch(flat.at(found[i] * weights), weights);
        }
      }
      if (start < 2 * kBlock) continue;
      for (std::size_t i = start - 2 * kBlock; i < start - kBlock; ++i)
        std::memcpy(out.data() + i * dim, flat.at(found[i] * weights), weights);
    }
  });
}

void run(std::size_t rows, std::uint32_t dim) {
  TableSpec spec;
  spec.name = "bench";
  spec.dim = dim;
  spec.init.seed = 1;
  spec.optimizer.kind = OptimizerKind::kRowwiseAdagrad;
  EmbeddingTable table(spec, 1);
  const std::size_t record = table.layout().row_bytes() + sizeof(Key);
  const std::size_t batches = rows / kBatch;
  std::printf("%zu rows, dim %u, row-wise Adagrad: %zu bytes a record\n", batches * kBatch, dim, record);

  std::vector<Key> keys(kBatch);
  std::vector<float> values(kBatch * dim, 0.01F);
  std::uint64_t step = 0;
  const auto present = [&](Rng& rng) {
    for (Key& key : keys) key = mix64(rng.next() % (batches * kBatch));
  };
  measure("push of new keys", batches, [&](std::size_t batch) {
    for (std::size_t i = 0; i < kBatch; ++i) keys[i] = mix64(batch * kBatch + i);
    table.apply(keys, values.data(), {++step, 0});
  });
  const Timing bound = raw_gathers(batches * kBatch, dim, batches);
  Rng rng(2);
  const Timing pull = measure("gather of present keys", batches, [&](std::size_t) {
    present(rng);
    table.gather(keys, values.data());
  });
  std::fill(values.begin(), values.end(), 0.01F);
  const Timing push = measure("push of present keys", batches, [&](std::size_t) {
    present(rng);
    table.apply(keys, values.data(), {++step, 0});
  });
  measure("gather of absent keys", batches / 10 + 1, [&](std::size_t) {
    for (Key& key : keys) key = rng.next();
    table.gather(keys, values.data());
  });
  const double bytes = static_cast<double>(table.bytes()) / static_cast<double>(table.size());
  const double payload = static_cast<double>((dim + table.layout().state_floats()) * sizeof(float));
  std::printf("pull %.2f of a two-level gather, push %.2f of the pull\n", bound.total / pull.total,
              pull.total / push.total);
  std::printf("%.2f bytes a row, %.2f of them beside weights and state\n", bytes, bytes - payload);
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const auto dim = static_cast<std::uint32_t>(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 16);
  capstan::run(std::max<std::size_t>(rows, 8192), std::max(dim, 1U));
  return 0;
}
