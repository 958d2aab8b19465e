// What does a checkpoint cost the training beside it?
//   bench_checkpoint FOLDER [checkpoints=10] [rows=4000000] [dim=16] [every=8] [skew=3] [--json]
// A server and a scheduler as processes, a worker in this one; rows of Adagrad. The worker pulls and pushes
// without a pause and computes nothing, so every cycle that a checkpoint takes is missed. A key is drawn as
// rows * u^skew, u uniform. Every `every` seconds the scheduler makes a checkpoint, full and incremental in
// turn. Printed for each: how long it took (from its folder's appearance to its manifest's), its bytes, the
// rate meanwhile against the rate between it and the one before, the longest time that nothing was
// acknowledged and that one batch took (pull and push), and the same between checkpoints. The limits: the
// undisturbed rate, and how fast this disk takes as many bytes (written and synced, nothing else running).
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <vector>

#include "bench/arguments.h"
#include "bench/cluster.h"
#include "bench/pusher.h"
#include "common/adapters/disk_files.h"
#include "scheduler/manifest.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

struct Settings {
  std::string folder;
  std::size_t checkpoints = 10;
  std::uint64_t rows = 4'000'000;
  std::uint32_t dim = 16;
  std::uint64_t every = 8;
  double skew = 3;
  bool json = false;
};

struct Seen {
  Instant begun, published;
  std::uint64_t bytes = 0;
  bool full = false;
};

// Watches the folder of checkpoints come and fill.
class Watch {
 public:
  explicit Watch(std::string path) : path_(std::move(path)) {}

  // Calls this every few milliseconds.
  void look(Instant now) {
    const std::string directory = checkpoint_directory(path_, next_);
    if (!begun_ && std::filesystem::exists(directory)) begun_ = now;
    if (!begun_ || !std::filesystem::exists(directory + "/" + std::string(kManifestName))) return;
    Seen each{*begun_, now};
    const auto manifest = read_manifest_alone(files_, directory);
    if (!manifest.ok()) give_up(manifest.error().message);
    each.full = manifest->builds_on == 0;
    for (const ShardSection& section : manifest->sections) {
      each.bytes += section.folder.empty() ? section.length : 0;
    }
    seen_.push_back(each);
    begun_.reset();
    ++next_;
  }
  const std::vector<Seen>& seen() const { return seen_; }

 private:
  std::string path_;
  DiskFiles files_;
  std::uint64_t next_ = 1;
  std::optional<Instant> begun_;
  std::vector<Seen> seen_;
};

struct Figures {
  std::vector<double> seconds, bytes, loss, gap, batch;
  std::vector<double> calm_rate, calm_gap, calm_batch;
};

// Bytes a second of writing so many to a new file and syncing it.
double disk_rate(const std::string& path, std::uint64_t bytes) {
  const std::vector<char> block(std::size_t{4} << 20, 'x');
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
  const auto begun = std::chrono::steady_clock::now();
  for (std::uint64_t done = 0; done < bytes; done += block.size()) {
    if (write(file, block.data(), block.size()) < 0) give_up("cannot write " + path);
  }
  fdatasync(file);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  close(file);
  std::filesystem::remove(path);
  return static_cast<double>(bytes) / took.count();
}

void note(const BenchPusher& pusher, const Seen& before, const Seen& each, Figures& figures) {
  constexpr Duration kSettled = 500ms;  // after the checkpoint before
  const PushRates calm = pusher.rates(before.published + kSettled, each.begun);
  if (calm.rows == 0) return;  // it began when the one before ended: `every` is too short
  const PushRates during = pusher.rates(each.begun, each.published);
  figures.seconds.push_back(during.seconds);
  figures.bytes.push_back(static_cast<double>(each.bytes));
  figures.loss.push_back(1.0 - during.rows_per_second() / calm.rows_per_second());
  figures.gap.push_back(during.longest_gap);
  figures.batch.push_back(during.longest_batch);
  figures.calm_rate.push_back(calm.rows_per_second());
  figures.calm_gap.push_back(calm.longest_gap);
  figures.calm_batch.push_back(calm.longest_batch);
}

void print(const char* kind, const Figures& figures) {
  const auto most = [](const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
  };
  std::printf(
      "%-12s %zu of %.0f MB in %s s: %s %% less than %s M rows/s; longest without an acknowledgement %s ms "
      "(most "
      "%.0f; between checkpoints %.0f), longest batch %s ms (most %.0f; between %.0f)\n",
      kind, figures.loss.size(), median(figures.bytes) / 1e6, with_spread(figures.seconds).c_str(),
      with_spread(figures.loss, 100, 1).c_str(), with_spread(figures.calm_rate, 1e-6).c_str(),
      with_spread(figures.gap, 1e3, 0).c_str(), most(figures.gap) * 1e3, most(figures.calm_gap) * 1e3,
      with_spread(figures.batch, 1e3, 0).c_str(), most(figures.batch) * 1e3, most(figures.calm_batch) * 1e3);
}

std::string json_of(const Figures& figures) {
  return fmt::format(
      "{{\"bytes\": {:.0f}, \"seconds\": {:.3f}, \"loss\": {:.4f}, \"longest_gap_ms\": {:.1f}, "
      "\"longest_batch_ms\": {:.1f}, \"calm_rows_per_second\": {:.0f}}}",
      median(figures.bytes), median(figures.seconds), median(figures.loss), median(figures.gap) * 1e3,
      median(figures.batch) * 1e3, median(figures.calm_rate));
}

void run(const Settings& settings) {
  if (!settings.json) {
    std::printf(
        "%s\n%llu rows of dim %u, Adagrad, one server, batches of 4096 keys pulled and pushed, skew %.1f\n",
        conditions().c_str(), static_cast<unsigned long long>(settings.rows), settings.dim, settings.skew);
  }
  constexpr std::size_t kBatches = 1000, kKeys = 4096;
  const auto batches =
      draw_batches(kBatches, kKeys, settings.rows, settings.skew, PusherOptions().num_shards);
  BenchJob job;
  job.folder = settings.folder + "/checkpoint";
  std::filesystem::remove_all(job.folder);
  job.every_seconds = settings.every;
  job.full_every = 2;
  const BenchCluster cluster(job);
  PusherOptions options;
  options.scheduler = cluster.endpoint();
  options.dim = settings.dim;
  options.pulls = true;
  BenchPusher pusher(options);
  pusher.fill(settings.rows, 16384);
  pusher.repeat(batches);
  Watch watch(job.checkpoints());
  pusher.run_until([&] {
    watch.look(pusher.now());
    return watch.seen().size() > settings.checkpoints + 1;
  });
  Figures full, incremental;
  for (std::size_t n = 2; n < watch.seen().size(); ++n) {
    const Seen& each = watch.seen()[n];
    note(pusher, watch.seen()[n - 1], each, each.full ? full : incremental);
  }
  if (full.loss.empty() || incremental.loss.empty()) give_up("too few checkpoints were made");
  pusher.rest();
  const double disk = disk_rate(job.folder + "/disk", static_cast<std::uint64_t>(median(full.bytes)));
  if (settings.json) {
    std::printf("%s\n",
                fmt::format("{{\"full\": {}, \"incremental\": {}, \"disk_bytes_per_second\": {:.0f}}}",
                            json_of(full), json_of(incremental), disk)
                    .c_str());
  } else {
    print("full", full);
    print("incremental", incremental);
    std::printf("the disk takes %.0f MB/s; the bars: 15 %% less, 100 ms\n", disk / 1e6);
  }
  std::filesystem::remove_all(job.checkpoints());
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  capstan::Arguments arguments(argc, argv,
                               "bench_checkpoint FOLDER [checkpoints] [rows] [dim] [every] [skew] [--json]");
  capstan::Settings settings;
  settings.folder = arguments.folder();
  settings.json = arguments.json();
  arguments.take(settings.checkpoints);
  arguments.take(settings.rows);
  arguments.take(settings.dim);
  arguments.take(settings.every);
  arguments.take(settings.skew);
  capstan::run(settings);
  return 0;
}
