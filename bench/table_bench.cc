// How far is an EmbeddingTable from the machine's own speed of random access?
//   bench_table [rows=10000000] [dim=16] [rounds=5]
// Prints rows a second on one core, in processor time, for: copying the weights of random rows whose places
// are known, the same by a line of an index first (the bound of a look-up), gather and push of random present
// keys, pushing new keys and reading absent ones; then memory and the longest push. Rounds go through all of
// them in turn, each a quarter of the rows; figures are medians, with the least and the most.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "bench/raw_memory.h"
#include "common/rng.h"
#include "ps/table/embedding_table.h"

namespace capstan {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Figure {
  const char* what;
  std::vector<double> rates;  // M rows a second, one a round
  double longest_us = 0.0;    // of all batches

  void print() const {
    const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
    std::printf("%-26s %8.2f M rows/s (%.2f to %.2f)   longest batch %7.1f us\n", what, median(rates), *least,
                *most, longest_us);
  }
};

// Adds a round of so many batches to the figure.
void measure(Figure& figure, std::size_t batches, const std::function<void()>& body) {
  double total = 0.0;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const double start = processor_seconds();
    body();
    const double took = processor_seconds() - start;
    total += took;
    figure.longest_us = std::max(figure.longest_us, took * 1e6);
  }
  figure.rates.push_back(static_cast<double>(batches * kGatherBatch) / total / 1e6);
}

std::vector<double> ratios(const Figure& a, const Figure& b) {
  std::vector<double> all;
  for (std::size_t i = 0; i < a.rates.size(); ++i) all.push_back(a.rates[i] / b.rates[i]);
  return all;
}

void run(std::size_t rows, std::uint32_t dim, std::size_t rounds) {
  TableSpec spec;
  spec.name = "bench";
  spec.dim = dim;
  spec.init.seed = 1;
  spec.optimizer.kind = OptimizerKind::kRowwiseAdagrad;
  EmbeddingTable table(spec, 1);
  const std::size_t batches = rows / kGatherBatch, present = batches * kGatherBatch;
  std::printf("%zu rows, dim %u, row-wise Adagrad: %zu bytes a row\n", present, dim,
              table.layout().row_bytes());
  std::vector<Key> keys(kGatherBatch);
  std::vector<float> values(kGatherBatch * dim, 0.01F);
  const std::vector<float> gradients = values;
  std::uint64_t step = 0, next_key = 0;
  Figure created{"push of new keys", {}}, known{"random gather", {}}, bound{"two-level random gather", {}};
  Figure pull{"gather of present keys", {}}, push{"push of present keys", {}},
      absent{"gather of absent keys", {}};
  measure(created, batches, [&] {
    for (Key& key : keys) key = mix64(next_key++);
    table.apply(keys, gradients.data(), {++step, 0});
  });
  Rng rng(2);
  const auto draw = [&] {
    for (Key& key : keys) key = mix64(rng.next() % present);
  };
  const std::size_t part = std::max<std::size_t>(1, batches / 4);
  measure_raw_gathers(present, dim, [&](const char* what, const std::function<void()>& gather) {
    Figure& figure = std::string_view(what) == known.what ? known : bound;
    for (std::size_t round = 0; round < rounds; ++round) {
      measure(figure, part, gather);
      if (&figure == &known) continue;
      measure(pull, part, [&] {
        draw();
        table.gather(keys, values.data());
      });
      measure(push, part, [&] {
        draw();
        table.apply(keys, gradients.data(), {++step, 0});
      });
    }
  });
  measure(absent, batches / 10 + 1, [&] {
    for (Key& key : keys) key = rng.next();
    table.gather(keys, values.data());
  });
  for (const Figure* figure : {&known, &bound, &pull, &push, &created, &absent}) figure->print();
  std::printf("pull %.2f of a two-level gather, push %.2f of the pull\n", median(ratios(pull, bound)),
              median(ratios(push, pull)));
  const double bytes = static_cast<double>(table.bytes()) / static_cast<double>(table.size());
  const double payload = static_cast<double>((dim + table.layout().state_floats()) * sizeof(float));
  std::printf("%.2f bytes a row, %.2f of them beside weights and state, of which 4 say when it was pushed\n",
              bytes, bytes - payload);
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  const auto number = [&](int at, std::size_t usual) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : usual;
  };
  capstan::run(std::max<std::size_t>(number(1, 10'000'000), capstan::kGatherBatch),
               static_cast<std::uint32_t>(std::max<std::size_t>(number(2, 16), 1)),
               std::max<std::size_t>(number(3, 5), 1));
  return 0;
}
