// How far is an EmbeddingTable from the machine's own speed of random access?
//   bench_table [rows] [dim]
// Prints rows a second on one core for: copying random records of the same size out of one flat array (the
// bound), gather and push of random present keys, pushing new keys and reading absent ones; then memory and
// the longest push.
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

// The bound: slots are known, so nothing is looked up.
void raw_gather(std::size_t rows, std::size_t record, std::size_t dim, std::size_t batches) {
  const std::size_t size = rows * record;
  auto* flat =
      static_cast<std::byte*>(std::aligned_alloc(std::size_t{2} << 20, (size >> 21 << 21) + (2U << 20)));
  madvise(flat, size, MADV_HUGEPAGE);
  std::memset(flat, 1, size);
  std::vector<float> out(kBatch * dim);
  std::vector<std::size_t> slots(kBatch);
  Rng rng(1);
  measure("raw random gather", batches, [&](std::size_t) {
    for (std::size_t& slot : slots) slot = rng.next() % rows;
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (i + 16 < kBatch) __builtin_prefetch(flat + slots[i + 16] * record);
      if (i + 16 < kBatch) __builtin_prefetch(flat + slots[i + 16] * record + 63);
      std::memcpy(out.data() + i * dim, flat + slots[i] * record, dim * sizeof(float));
    }
  });
  std::free(flat);
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
  raw_gather(batches * kBatch, record, dim, batches);
  Rng rng(2);
  measure("gather of present keys", batches, [&](std::size_t) {
    present(rng);
    table.gather(keys, values.data());
  });
  std::fill(values.begin(), values.end(), 0.01F);
  measure("push of present keys", batches, [&](std::size_t) {
    present(rng);
    table.apply(keys, values.data(), {++step, 0});
  });
  measure("gather of absent keys", batches / 10 + 1, [&](std::size_t) {
    for (Key& key : keys) key = rng.next();
    table.gather(keys, values.data());
  });
  const double bytes = static_cast<double>(table.bytes()) / static_cast<double>(table.size());
  const double payload = static_cast<double>((dim + table.layout().state_floats()) * sizeof(float));
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
