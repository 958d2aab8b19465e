// What do encrypted links cost?
//   bench_curve FOLDER [rounds=5] [seconds=5] [rows=1000000] [dim=16] [batch=16384] [--json]
// A server of one thread and a scheduler as processes, a worker in this one, all on this machine; rows of
// Adagrad, drawn evenly, each batch pulled and then pushed. Each round measures a cluster with plain links,
// then one whose links are CurveZMQ's. Printed: rows a second of each and their ratio. All bytes are
// encrypted once and decrypted once, by libzmq's threads, of which each process has one.
#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <filesystem>
#include <vector>

#include "bench/cluster.h"
#include "bench/push_settings.h"
#include "bench/pusher.h"
#include "common/adapters/key_ring.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

double rows_per_second(const PushSettings& settings, const std::vector<PushBatchRef>& batches,
                       const std::string& keys) {
  BenchJob job;
  job.folder = settings.folder + (keys.empty() ? "/plain" : "/curve");
  std::filesystem::remove_all(job.folder);
  job.threads = 1;
  job.keys = keys;
  const BenchCluster cluster(job);
  PusherOptions options;
  options.scheduler = cluster.endpoint();
  options.dim = settings.dim;
  options.pulls = true;
  options.keys = keys;
  BenchPusher pusher(options);
  pusher.fill(settings.rows, settings.batch);
  pusher.repeat(batches);
  pusher.run(1s);
  const Instant from = pusher.now();
  pusher.run(Duration(static_cast<std::int64_t>(settings.seconds * 1e6)));
  return pusher.rates(from, pusher.now()).rows_per_second();
}

std::string fresh_keys(const std::string& folder) {
  std::filesystem::remove_all(folder);
  if (const Status made = add_key_for_each_role(folder); !made.ok()) give_up(made.error().message);
  return folder;
}

void run(const PushSettings& settings) {
  if (!settings.json) {
    std::printf(
        "%s\n%llu rows of dim %u, Adagrad, one server of one thread, batches of %zu keys, each pulled and "
        "pushed\n",
        conditions().c_str(), static_cast<unsigned long long>(settings.rows), settings.dim, settings.batch);
  }
  constexpr std::size_t kBatches = 200;
  const auto batches = draw_batches(kBatches, settings.batch, settings.rows, 1.0, PusherOptions().num_shards);
  const std::string keys = fresh_keys(settings.folder + "/keys");
  std::vector<double> plain, curve, ratios;
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    plain.push_back(rows_per_second(settings, batches, ""));
    curve.push_back(rows_per_second(settings, batches, keys));
    ratios.push_back(curve.back() / plain.back());
  }
  if (settings.json) {
    std::printf("%s\n", fmt::format("{{\"rows_per_second_plain\": {:.0f}, \"rows_per_second_curve\": {:.0f}, "
                                    "\"ratio\": {:.3f}}}",
                                    median(plain), median(curve), median(ratios))
                            .c_str());
    return;
  }
  const double row_bytes = 2 * sizeof(Key) + 2.0 * settings.dim * sizeof(float);
  for (const auto& [name, rates] : {std::pair("plain", plain), std::pair("curve", curve)}) {
    std::printf("%s  %s M rows/s pulled and pushed, %.0f MB/s of keys, rows and gradients\n", name,
                with_spread(rates, 1e-6).c_str(), median(rates) * row_bytes / 1e6);
  }
  std::printf("ratio %s\n", with_spread(ratios).c_str());
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  constexpr std::uint64_t kRows = 1'000'000;
  const char* usage = "bench_curve FOLDER [rounds] [seconds] [rows] [dim] [batch] [--json]";
  capstan::run(capstan::push_settings(argc, argv, usage, kRows));
  return 0;
}
