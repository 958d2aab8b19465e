// What does a second replica cost a push?
//   bench_replicas FOLDER [rounds=5] [seconds=5] [rows=2000000] [dim=16] [batch=16384] [--json]
// Two servers and a scheduler as processes, a worker in this one, all on this machine; rows of Adagrad, drawn
// evenly. Each round starts a cluster with replicas: 1, then one with replicas: 2, fills the rows, pushes a
// second to warm up and `seconds` to measure. Printed: rows a second of each, their ratio, and the most that
// the ratio can be on cores that are all busy: with replicas: 1 a row takes this run's worker's time w and
// servers' time s, with replicas: 2 at least w + 2 s, since every byte is taken in and applied twice.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

#include "bench/cluster.h"
#include "bench/push_settings.h"
#include "bench/pusher.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

// Of one number of replicas, one value a round.
struct Figures {
  std::vector<double> rows_per_second;
  std::vector<double> worker_ns, server_ns;  // of processor time, a row
  std::vector<double> busy;                  // the part of all cores' time that the cluster had
  std::vector<double> longest_batch;
};

void measure(const PushSettings& settings, const std::vector<PushBatchRef>& batches, std::uint32_t replicas,
             Figures& figures) {
  BenchJob job;
  job.folder = fmt::format("{}/replicas-{}", settings.folder, replicas);
  std::filesystem::remove_all(job.folder);
  job.servers = 2;
  job.replicas = replicas;
  job.threads = 1;
  const BenchCluster cluster(job);
  PusherOptions options;
  options.scheduler = cluster.endpoint();
  options.dim = settings.dim;
  BenchPusher pusher(options);
  pusher.fill(settings.rows, settings.batch);
  pusher.repeat(batches);
  pusher.run(1s);
  const double worker = processor_seconds(), servers = cluster.server_seconds();
  const Instant from = pusher.now();
  pusher.run(Duration(static_cast<std::int64_t>(settings.seconds * 1e6)));
  const PushRates rates = pusher.rates(from, pusher.now());
  const double worker_took = processor_seconds() - worker, servers_took = cluster.server_seconds() - servers;
  const auto rows = static_cast<double>(rates.rows);
  figures.rows_per_second.push_back(rates.rows_per_second());
  figures.worker_ns.push_back(1e9 * worker_took / rows);
  figures.server_ns.push_back(1e9 * servers_took / rows);
  figures.busy.push_back((worker_took + servers_took) / rates.seconds / std::thread::hardware_concurrency());
  figures.longest_batch.push_back(rates.longest_batch);
}

void print(const PushSettings& settings, std::uint32_t replicas, const Figures& figures) {
  const std::size_t row_bytes = sizeof(Key) + settings.dim * sizeof(float);
  std::printf(
      "replicas: %u  %s M rows/s, %.0f MB/s of keys and gradients; a row takes the worker %s ns and the "
      "servers %s ns; the cluster had %.0f %% of the cores; longest batch %.0f ms\n",
      replicas, with_spread(figures.rows_per_second, 1e-6).c_str(),
      median(figures.rows_per_second) * static_cast<double>(row_bytes) / 1e6,
      with_spread(figures.worker_ns, 1, 0).c_str(), with_spread(figures.server_ns, 1, 0).c_str(),
      median(figures.busy) * 100,
      *std::max_element(figures.longest_batch.begin(), figures.longest_batch.end()) * 1e3);
}

void run(const PushSettings& settings) {
  if (!settings.json) {
    std::printf(
        "%s\n%llu rows of dim %u, Adagrad, two servers of one thread, batches of %zu keys, window 4\n",
        conditions().c_str(), static_cast<unsigned long long>(settings.rows), settings.dim, settings.batch);
  }
  constexpr std::size_t kBatches = 200;
  const auto batches = draw_batches(kBatches, settings.batch, settings.rows, 1.0, PusherOptions().num_shards);
  Figures one, two;
  std::vector<double> ratios, processor_ratios, ceilings;
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    measure(settings, batches, 1, one);
    measure(settings, batches, 2, two);
    ratios.push_back(two.rows_per_second.back() / one.rows_per_second.back());
    const double worker = one.worker_ns.back(), servers = one.server_ns.back();
    processor_ratios.push_back((worker + servers) / (two.worker_ns.back() + two.server_ns.back()));
    ceilings.push_back((worker + servers) / (worker + 2 * servers));
  }
  if (settings.json) {
    std::printf(
        "%s\n",
        fmt::format("{{\"rows_per_second_1\": {:.0f}, \"rows_per_second_2\": {:.0f}, \"ratio\": {:.3f}, "
                    "\"processor_ratio\": {:.3f}, \"ceiling\": {:.3f}}}",
                    median(one.rows_per_second), median(two.rows_per_second), median(ratios),
                    median(processor_ratios), median(ceilings))
            .c_str());
    return;
  }
  print(settings, 1, one);
  print(settings, 2, two);
  std::printf("ratio %s; of processor time a row %s; ceiling (w + s) / (w + 2 s) %s; the bar is 0.45\n",
              with_spread(ratios).c_str(), with_spread(processor_ratios).c_str(),
              with_spread(ceilings).c_str());
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  constexpr std::uint64_t kRows = 2'000'000;
  const char* usage = "bench_replicas FOLDER [rounds] [seconds] [rows] [dim] [batch] [--json]";
  capstan::run(capstan::push_settings(argc, argv, usage, kRows));
  return 0;
}
