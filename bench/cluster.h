// BenchCluster: `capstan scheduler` and `capstan ps` as processes of their own, for programs that measure
// them over the wire. Nothing of it outlives the object; what goes wrong ends the program with words.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace capstan {

// Says why, and ends the program.
[[noreturn]] void give_up(const std::string& why);

inline constexpr const char* kBenchJob = "bench";

struct BenchJob {
  std::string folder;  // for job, journal, logs and checkpoints; made when it is not there
  std::uint32_t servers = 1, replicas = 1, num_shards = 256;
  std::uint32_t threads = 0;        // of a server; 0: one a core
  std::uint64_t every_seconds = 0;  // a checkpoint; 0: none
  std::uint32_t full_every = 1;     // of them is a full one
  bool resume = false;              // from the newest checkpoint
  std::string keys;                 // folder; empty: links are plain
  std::string text;                 // of a job file of its own, named kBenchJob; empty: one without work
  std::uint32_t workers = 0;        // to start; 0: the caller is the one that the job waits for

  std::string checkpoints() const { return folder + "/checkpoints"; }
};

class BenchCluster {
 public:
  // Returns when the scheduler listens; it waits for one worker.
  explicit BenchCluster(BenchJob job);
  ~BenchCluster();
  BenchCluster(const BenchCluster&) = delete;
  BenchCluster& operator=(const BenchCluster&) = delete;

  const BenchJob& job() const { return job_; }
  const std::string& endpoint() const { return endpoint_; }  // the scheduler's
  // The processor time that all servers have taken so far, in seconds.
  double server_seconds() const;
  double worker_seconds() const;
  std::string scheduler_log() const;
  // What `capstan ARGS...` asks this cluster, and what it printed; empty when it failed.
  std::string ask(std::vector<std::string> args);
  // Returns when the job has ended; says why and ends the program when it did not end well.
  void wait();

 private:
  pid_t start(const std::string& name, std::vector<std::string> args);
  void write_job() const;

  BenchJob job_;
  std::string endpoint_;
  pid_t scheduler_ = 0;
  std::vector<pid_t> servers_, workers_;
};

// The processor time of a process, in seconds; 0: this one.
double processor_seconds(pid_t process = 0);
std::string text_of_file(const std::string& path);  // empty when there is none

// Of `values`, which must not be empty.
double median(std::vector<double> values);
// "1.23 (1.10 to 1.31)": the median, and what it lies between, each times `scale`.
std::string with_spread(const std::vector<double>& values, double scale = 1.0, int decimals = 2);
// Kernel, processor, cores and how busy others keep them: what a figure must be read with.
std::string conditions();

}  // namespace capstan
