// BenchPusher: a worker that computes nothing. It greets, asks for work and reports as workers do, and pushes
// (after a pull, if so wished) drawn batches through the worker's own PushStream and Puller: windows, epochs,
// numbered slices and resending included.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/adapters/asio_loop.h"
#include "common/adapters/zmq_transport.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"
#include "worker/train/puller.h"
#include "worker/train/push_stream.h"

namespace capstan {

// A batch's keys as they go over the wire, and where each shard's stand.
struct PushBatch {
  std::vector<Key> keys;
  std::vector<ShardRange> ranges;
};
using PushBatchRef = std::shared_ptr<const PushBatch>;
PushBatchRef make_batch(std::vector<Key> keys, std::uint32_t num_shards);
// The key of row n of the bench's table.
inline Key bench_key(std::uint64_t row) {
  return mix64(row + 1);
}
// `count` batches of `size` keys each (less where one came twice): row n with n = rows * u^skew, u uniform.
// The larger the skew, the fewer rows most pushes go to; 1: all alike.
std::vector<PushBatchRef> draw_batches(std::size_t count, std::size_t size, std::uint64_t rows, double skew,
                                       std::uint32_t num_shards);

struct PusherOptions {
  std::string scheduler;  // endpoint
  std::uint32_t dim = 16;
  Dtype dtype = Dtype::kFloat32;
  OptimizerKind optimizer = OptimizerKind::kAdagrad;
  std::uint32_t num_shards = 256;
  std::uint32_t window = 4;  // unacknowledged batches
  bool pulls = false;        // each batch's rows before it is pushed
  std::string keys;          // folder; empty: links are plain
};

// What happened in a stretch of time.
struct PushRates {
  double seconds = 0.0;
  std::uint64_t batches = 0, rows = 0;
  double longest_gap = 0.0;    // seconds in which nothing was acknowledged
  double longest_batch = 0.0;  // from its beginning, the pull or else the push, to its acknowledgement
  double rows_per_second() const { return static_cast<double>(rows) / seconds; }
};

class BenchPusher {
 public:
  // Returns when the job runs and a partition is granted.
  explicit BenchPusher(PusherOptions options);
  BenchPusher(const BenchPusher&) = delete;
  BenchPusher& operator=(const BenchPusher&) = delete;

  // Pushes what `next` gives from now on. A nullptr: nothing for now.
  void feed(std::function<PushBatchRef()> next);
  void run(Duration duration);
  // Looks every two milliseconds.
  void run_until(const std::function<bool()>& done);
  // One push of each of the rows 0 to rows - 1; returns when all are acknowledged.
  void fill(std::uint64_t rows, std::size_t batch_keys);
  // These in turn, without end.
  void repeat(std::vector<PushBatchRef> batches);
  void rest();  // returns when all is acknowledged
  // Nothing is pushed any more, and so many batches are pulled at a time. REQUIRES: it rests.
  void only_pull(std::size_t at_a_time);

  Instant now() const { return loop_.now(); }
  PushRates rates(Instant from, Instant to) const;
  // Seconds, of the batches that were done from then on.
  std::vector<double> times_of_batches(Instant from) const;
  // Of keys and gradients, a row.
  std::size_t row_bytes() const { return sizeof(Key) + values_bytes(options_.dtype, options_.dim); }

 private:
  struct Stage {
    PushBatchRef batch;
    Instant begun;
    std::vector<StepTable> tables;
    PullTicket ticket;
    bool ready = false;
  };
  struct Sent {
    Instant begun;
    std::size_t rows = 0;
    std::uint64_t slices = 0;
    bool acknowledged = false;
  };
  struct Acknowledged {
    Instant at, begun;
    std::size_t rows;
  };

  void announce();
  void ask();
  void begin(const WorkGrant& grant);
  void report();
  void pump();
  void start(PushBatchRef batch);
  void on_pulled();
  void on_acknowledged(std::uint64_t sequence, std::uint64_t slices);

  PusherOptions options_;
  bool pushes_ = true;
  std::size_t stages_ahead_ = 2;  // as train.pipeline_depth
  std::vector<TableSpec> tables_;
  std::vector<float> gradients_;
  AsioLoop loop_;
  ZmqTransport transport_;
  Log log_;
  Rpc rpc_;
  SchedulerLink link_;
  ServerPeers peers_;
  Puller puller_;
  PushCounts counts_;
  Timer ask_timer_, announce_timer_, report_timer_;
  std::optional<PushStream> stream_;
  WorkCursor cursor_;
  std::uint64_t step_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::function<PushBatchRef()> next_;
  std::deque<std::shared_ptr<Stage>> stages_;
  std::map<std::uint64_t, Sent> sent_;  // by sequence, from the watermark on
  std::vector<Acknowledged> acknowledged_;
};

}  // namespace capstan
