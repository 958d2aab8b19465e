// How long until a server holds a checkpoint's rows again, and what does it wait for?
//   bench_restore FOLDER [rounds=5] [rows=10000000] [dim=16] [--json]
// A cluster of one server (rows of Adagrad, 256 shards) is filled over the wire and makes a checkpoint. Then,
// each round: the file leaves the page cache (posix_fadvise DONTNEED; it was synced) and is read from its
// beginning to its end, the same again with O_DIRECT, and again before a new cluster is started with
// --resume; the restore lasts from the scheduler's "restoring" to its "restored", as its log has them. Last,
// the same rows go in random order into a plain hash table that is as large as it will be and whose pages are
// there already: one thread, then one a core. The limit is whichever binds: the disk or the inserts of all
// cores.
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "bench/arguments.h"
#include "bench/cluster.h"
#include "bench/pusher.h"
#include "common/adapters/disk_files.h"
#include "common/section_chains.h"
#include "scheduler/manifest.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Settings {
  std::string folder;
  std::size_t rounds = 5;
  std::uint64_t rows = 10'000'000;
  std::uint32_t dim = 16;
  bool json = false;
};

struct Checkpoint {
  std::string directory, file;
  std::uint64_t bytes = 0, rows = 0;
};

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

// A block of whole pages, all of them there.
class Pages {
 public:
  explicit Pages(std::size_t size) : size_(size) {
    data_ = static_cast<std::byte*>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (data_ == MAP_FAILED) give_up("out of memory");
    madvise(data_, size, MADV_HUGEPAGE);
    std::memset(data_, 0, size);
  }
  ~Pages() { munmap(data_, size_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::byte* data() { return data_; }

 private:
  std::byte* data_;
  std::size_t size_;
};

std::optional<Checkpoint> newest(const std::string& path, std::uint64_t rows) {
  DiskFiles files;
  const auto found = newest_checkpoint(files, path);
  if (!found.ok()) return std::nullopt;
  Checkpoint checkpoint{found->directory, section_path(found->directory, found->manifest.sections.front())};
  for (const ShardSection& section : found->manifest.sections) {
    checkpoint.bytes += section.length;
    checkpoint.rows += section.rows;
  }
  return checkpoint.rows == rows ? std::optional(checkpoint) : std::nullopt;
}

BenchJob job_of(const Settings& settings) {
  BenchJob job;
  job.folder = settings.folder + "/restore";
  job.every_seconds = 5;
  return job;
}

// Fills a cluster and waits for a checkpoint of all rows.
void make_checkpoint(const Settings& settings) {
  const BenchJob job = job_of(settings);
  std::filesystem::remove_all(job.folder);
  const BenchCluster cluster(job);
  PusherOptions options;
  options.scheduler = cluster.endpoint();
  options.dim = settings.dim;
  BenchPusher pusher(options);
  constexpr std::size_t kBatch = 16384;
  pusher.fill(settings.rows, kBatch);
  pusher.run_until([&] { return newest(job.checkpoints(), settings.rows).has_value(); });
}

void leave_cache(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY);
  fdatasync(file);
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  close(file);
}

// Bytes a second of reading all of it, from the disk.
double read_rate(const std::string& path, int flags) {
  leave_cache(path);
  constexpr std::size_t kBlock = std::size_t{4} << 20;
  Pages block(kBlock);
  const int file = open(path.c_str(), O_RDONLY | flags);
  posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
  const auto begun = Clock::now();
  std::uint64_t sum = 0;
  for (ssize_t got = 0; (got = read(file, block.data(), kBlock)) > 0;) sum += static_cast<std::uint64_t>(got);
  const double took = seconds_since(begun);
  close(file);
  if (sum == 0) give_up("cannot read " + path);
  return static_cast<double>(sum) / took;
}

// The time of day in a line of the log that has `words`, in seconds.
std::optional<double> time_of(const std::string& log, const std::string& words) {
  const std::size_t at = log.find(words);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t line = at == 0 ? 0 : log.rfind('\n', at) + 1;
  int hours = 0, minutes = 0;
  double seconds = 0;
  if (std::sscanf(log.c_str() + line, "%d:%d:%lf", &hours, &minutes, &seconds) != 3) return std::nullopt;
  return hours * 3600 + minutes * 60 + seconds;
}

struct Restored {
  double seconds = 0, server_seconds = 0;  // of processor time: of the server
};

Restored restore(const Settings& settings, const Checkpoint& checkpoint) {
  BenchJob job = job_of(settings);
  job.resume = true;
  leave_cache(checkpoint.file);
  const BenchCluster cluster(job);
  PusherOptions options;
  options.scheduler = cluster.endpoint();
  options.dim = settings.dim;
  const BenchPusher pusher(options);  // work is granted when the rows are there
  const std::string log = cluster.scheduler_log();
  const auto begun = time_of(log, ": restoring"), ended = time_of(log, " restored ");
  if (!begun || !ended) give_up("the log does not tell of a restore:\n" + log);
  constexpr double kDay = 86400;
  return {*ended - *begun + (*ended < *begun ? kDay : 0), cluster.server_seconds()};
}

// Row n's record is written where its key's hash says, or in the next free place behind it.
class PlainTable {
 public:
  PlainTable(std::uint64_t rows, std::size_t record)
      : record_(record), mask_(std::bit_ceil(rows + rows / 4) - 1), pages_((mask_ + 1) * record) {}

  void insert(Key key, const std::byte* record) {
    std::uint64_t at = mix64(key) & mask_;
    for (Key there = 0;; at = (at + 1) & mask_) {
      std::memcpy(&there, pages_.data() + at * record_, sizeof(there));
      if (there == 0) break;
    }
    std::memcpy(pages_.data() + at * record_, record, record_);
  }

 private:
  std::size_t record_;
  std::uint64_t mask_;
  Pages pages_;
};

// Rows a second. Each thread has a table of its own, with its share of the rows.
double insert_rate(std::uint64_t rows, std::size_t record, std::uint32_t threads) {
  const std::uint64_t share = rows / threads;
  std::vector<std::unique_ptr<PlainTable>> tables;
  std::vector<std::unique_ptr<Pages>> sources;
  for (std::uint32_t n = 0; n < threads; ++n) {
    tables.push_back(std::make_unique<PlainTable>(share, record));
    sources.push_back(std::make_unique<Pages>(share * record));
    for (std::uint64_t row = 0; row < share; ++row) {
      const Key key = bench_key(n * share + row);
      std::memcpy(sources[n]->data() + row * record, &key, sizeof(key));
    }
  }
  const auto begun = Clock::now();
  std::vector<std::thread> crew;
  for (std::uint32_t n = 0; n < threads; ++n) {
    crew.emplace_back([&, n] {
      for (const std::byte* at = sources[n]->data(); at < sources[n]->data() + share * record; at += record) {
        Key key = 0;
        std::memcpy(&key, at, sizeof(key));
        tables[n]->insert(key, at);
      }
    });
  }
  for (std::thread& each : crew) each.join();
  return static_cast<double>(rows) / seconds_since(begun);
}

void run(const Settings& settings) {
  const std::string where = conditions();
  make_checkpoint(settings);
  const Checkpoint checkpoint = newest(job_of(settings).checkpoints(), settings.rows).value();
  const auto rows = static_cast<double>(settings.rows), bytes = static_cast<double>(checkpoint.bytes);
  const std::uint32_t cores = std::thread::hardware_concurrency();
  const std::size_t record = checkpoint.bytes / settings.rows;
  std::vector<double> buffered, direct, restored, processor, one_thread, all_cores;
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    one_thread.push_back(insert_rate(settings.rows, record, 1));
    all_cores.push_back(insert_rate(settings.rows, record, cores));
    const Restored took = restore(settings, checkpoint);
    restored.push_back(rows / took.seconds);
    processor.push_back(1e9 * took.server_seconds / rows);
    buffered.push_back(read_rate(checkpoint.file, 0));
    direct.push_back(read_rate(checkpoint.file, O_DIRECT));
  }
  std::filesystem::remove_all(job_of(settings).folder);
  const double row_bytes = bytes / rows;
  const double disk = std::max(median(buffered), median(direct)) / row_bytes;  // rows a second
  const double limit = std::min(disk, median(all_cores));
  if (settings.json) {
    std::printf("%s\n", fmt::format("{{\"rows_per_second\": {:.0f}, \"disk_rows_per_second\": {:.0f}, "
                                    "\"insert_rows_per_second\": {:.0f}, \"of_limit\": {:.3f}}}",
                                    median(restored), disk, median(all_cores), median(restored) / limit)
                            .c_str());
    return;
  }
  std::printf("%s\n%.0f rows of dim %u, Adagrad, %.0f MB in one file, one server\n", where.c_str(), rows,
              settings.dim, bytes / 1e6);
  std::printf("disk, read in order   %s MB/s through the page cache, %s MB/s with O_DIRECT: %.2f M rows/s\n",
              with_spread(buffered, 1e-6, 0).c_str(), with_spread(direct, 1e-6, 0).c_str(), disk / 1e6);
  std::printf("plain inserts         %s M rows/s on one thread, %s on %u\n",
              with_spread(one_thread, 1e-6).c_str(), with_spread(all_cores, 1e-6).c_str(), cores);
  std::printf("restore               %s M rows/s, %.0f MB/s; a row takes %s ns of processor time\n",
              with_spread(restored, 1e-6).c_str(), median(restored) * row_bytes / 1e6,
              with_spread(processor, 1, 0).c_str());
  std::printf("%.0f %% of the limit, which is %s; the bar is 60 %%\n", 100 * median(restored) / limit,
              disk < median(all_cores) ? "the disk" : "inserts");
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  capstan::Arguments arguments(argc, argv, "bench_restore FOLDER [rounds] [rows] [dim] [--json]");
  capstan::Settings settings;
  settings.folder = arguments.folder();
  settings.json = arguments.json();
  arguments.take(settings.rounds);
  arguments.take(settings.rows);
  arguments.take(settings.dim);
  capstan::run(settings);
  return 0;
}
