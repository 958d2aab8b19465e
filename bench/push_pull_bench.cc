// How fast are pulls and pushes, beside the same rows over plain ZeroMQ?
//   bench_push_pull FOLDER [rounds=5] [seconds=3] [rows=10000000] [dim=16] [batch=16384] [--bfloat16]
//   [--json]
// One server process and a scheduler, one worker in this process, over tcp on this machine; rows of SGD, keys
// by Zipf's law with exponent 1.05, each batch of distinct keys, four messages unanswered. All guarantees are
// on: leases, epochs, numbered slices, every key and gradient checked. Each round starts Capstan, then the
// bare server of bare_zmq.h, and measures pulls and pushes of the same batches. Printed: rows a second of
// both and their ratio, and how long a pull of 4,096 rows takes alone.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <unordered_set>
#include <vector>

#include "bench/bare_zmq.h"
#include "bench/cluster.h"
#include "bench/push_settings.h"
#include "bench/pusher.h"
#include "common/rng.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kWindow = 4;
constexpr std::size_t kAloneKeys = 4096;

// Rows of a Zipf law: row r with probability in proportion to (r + 1)^-exponent.
class Zipf {
 public:
  Zipf(std::uint64_t rows, double exponent) : sums_(rows) {
    double sum = 0.0;
    for (std::uint64_t row = 0; row < rows; ++row) {
      sum += std::pow(static_cast<double>(row + 1), -exponent);
      sums_[row] = sum;
    }
  }
  std::uint64_t draw(Rng& rng) const {
    const double at = rng.uniform() * sums_.back();
    return static_cast<std::uint64_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

std::vector<PushBatchRef> zipf_batches(const Zipf& zipf, std::size_t count, std::size_t size) {
  Rng rng(1);
  std::vector<PushBatchRef> batches;
  for (std::size_t n = 0; n < count; ++n) {
    std::unordered_set<Key> keys;
    while (keys.size() < size) keys.insert(bench_key(zipf.draw(rng)));
    batches.push_back(make_batch({keys.begin(), keys.end()}, PusherOptions().num_shards));
  }
  return batches;
}

struct Figures {
  std::vector<double> pull, push;        // rows a second
  std::vector<double> median_s, tail_s;  // of one pull of kAloneKeys, 50th and 99th percentile
};

struct Batches {
  std::vector<PushBatchRef> large, small;
};

void note_answers(Figures& figures, std::vector<double> answers) {
  std::sort(answers.begin(), answers.end());
  constexpr double kTail = 0.99;
  figures.median_s.push_back(answers[answers.size() / 2]);
  figures.tail_s.push_back(
      answers[static_cast<std::size_t>(kTail * static_cast<double>(answers.size() - 1))]);
}

Duration duration_of(double seconds) {
  return Duration(static_cast<std::int64_t>(seconds * 1e6));
}

// The rate at which it works through `batches`, after a second to warm up.
double rate_of(BenchPusher& pusher, const std::vector<PushBatchRef>& batches, double seconds) {
  pusher.repeat(batches);
  pusher.run(1s);
  const Instant from = pusher.now();
  pusher.run(duration_of(seconds));
  const PushRates rates = pusher.rates(from, pusher.now());
  pusher.rest();
  return rates.rows_per_second();
}

void measure_capstan(const PushSettings& settings, const Batches& batches, Figures& figures) {
  BenchJob job;
  job.folder = settings.folder + "/capstan";
  std::filesystem::remove_all(job.folder);
  const BenchCluster cluster(job);
  PusherOptions options;
  options.scheduler = cluster.endpoint();
  options.dim = settings.dim;
  options.dtype = settings.dtype;
  options.optimizer = OptimizerKind::kSgd;
  options.window = kWindow;
  BenchPusher pusher(options);
  pusher.fill(settings.rows, settings.batch);
  figures.push.push_back(rate_of(pusher, batches.large, settings.seconds));
  pusher.only_pull(kWindow);
  figures.pull.push_back(rate_of(pusher, batches.large, settings.seconds));
  pusher.only_pull(1);
  const Instant from = pusher.now();
  rate_of(pusher, batches.small, settings.seconds);
  note_answers(figures, pusher.times_of_batches(from));
}

std::vector<std::span<const Key>> keys_of(const std::vector<PushBatchRef>& batches) {
  std::vector<std::span<const Key>> keys;
  for (const auto& batch : batches) keys.emplace_back(batch->keys);
  return keys;
}

void measure_bare(const PushSettings& settings, const Batches& batches, Figures& figures) {
  constexpr const char* kEndpoint = "tcp://127.0.0.1:17861";
  BareZmq bare(settings.rows, settings.dim, kEndpoint);
  const auto large = keys_of(batches.large);
  bare.push(large, kWindow, 1.0);
  figures.push.push_back(bare.push(large, kWindow, settings.seconds).rows_per_second);
  figures.pull.push_back(bare.pull(large, kWindow, settings.seconds).rows_per_second);
  note_answers(figures, bare.pull(keys_of(batches.small), 1, settings.seconds).answers);
}

std::vector<double> ratios(const std::vector<double>& ours, const std::vector<double>& bare) {
  std::vector<double> all;
  for (std::size_t i = 0; i < ours.size(); ++i) all.push_back(ours[i] / bare[i]);
  return all;
}

void print(const PushSettings& settings, const Figures& ours, const Figures& bare) {
  const auto line = [](const char* what, const std::vector<double>& a, const std::vector<double>& b,
                       const char* unit, double scale, int decimals) {
    std::printf("%s  %s %s, bare %s; ratio %s\n", what, with_spread(a, scale, decimals).c_str(), unit,
                with_spread(b, scale, decimals).c_str(), with_spread(ratios(a, b)).c_str());
  };
  line("pull", ours.pull, bare.pull, "M rows/s", 1e-6, 2);
  line("push", ours.push, bare.push, "M rows/s", 1e-6, 2);
  line("a pull of 4,096 rows alone, median", ours.median_s, bare.median_s, "us", 1e6, 0);
  line("99th percentile", ours.tail_s, bare.tail_s, "us", 1e6, 0);
  const double bytes = median(ours.pull) * static_cast<double>(settings.dim * width(settings.dtype));
  std::printf("pulled rows: %.2f GB/s\n", bytes * 1e-9);
}

void run(const PushSettings& settings) {
  if (!settings.json) {
    std::printf("%s\n%llu rows of dim %u, %s, SGD, one server, batches of %zu keys by Zipf 1.05, window %u\n",
                conditions().c_str(), static_cast<unsigned long long>(settings.rows), settings.dim,
                std::string(to_word(settings.dtype)).c_str(), settings.batch, kWindow);
  }
  constexpr std::size_t kBatches = 100;
  constexpr double kExponent = 1.05;
  const Zipf zipf(settings.rows, kExponent);
  const Batches batches{zipf_batches(zipf, kBatches, settings.batch),
                        zipf_batches(zipf, kBatches, kAloneKeys)};
  Figures ours, bare;
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    measure_capstan(settings, batches, ours);
    measure_bare(settings, batches, bare);
  }
  if (!settings.json) return print(settings, ours, bare);
  std::printf("%s\n", fmt::format("{{\"pull_rows_per_second\": {:.0f}, \"push_rows_per_second\": {:.0f}, "
                                  "\"pull_ratio\": {:.3f}, \"push_ratio\": {:.3f}, \"pull_p50_us\": {:.1f}, "
                                  "\"pull_p99_us\": {:.1f}, \"p50_ratio\": {:.3f}, \"p99_ratio\": {:.3f}}}",
                                  median(ours.pull), median(ours.push), median(ratios(ours.pull, bare.pull)),
                                  median(ratios(ours.push, bare.push)), median(ours.median_s) * 1e6,
                                  median(ours.tail_s) * 1e6, median(ratios(ours.median_s, bare.median_s)),
                                  median(ratios(ours.tail_s, bare.tail_s)))
                          .c_str());
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  capstan::be_bare_server(argc, argv);
  constexpr std::uint64_t kRows = 10'000'000;
  const char* usage = "bench_push_pull FOLDER [rounds] [seconds] [rows] [dim] [batch] [--bfloat16] [--json]";
  capstan::run(capstan::push_settings(argc, argv, usage, kRows));
  return 0;
}
