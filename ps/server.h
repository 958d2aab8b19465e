// Server: a PS node. It owns shards while its lease holds, answers pulls and pushes, writes and reads
// snapshots.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/message.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/storage.h"
#include "common/task_pool.h"
#include "ps/shard.h"
#include "ps/snapshot_job.h"

namespace capstan {

struct ServerOptions {
  std::string name, job_id, host;
  std::string scheduler;           // endpoint
  std::string bind;                // endpoint; port 0 picks one
  std::uint64_t incarnation = 0;   // new for every start
  std::uint64_t memory_limit = 0;  // bytes of rows; 0: none
  // Seconds since 1970: what a ttl counts in, also over restarts. Empty: the loop's clock.
  std::function<std::uint32_t()> unix_seconds;
  std::uint32_t requests_max = 4096;  // taken in and not answered; more are told to come again
};

// Shards run on the lanes of `compute`, files on those of `disk`; all else on the loop.
class Server {
 public:
  using EndHandler = std::function<void(bool ok, const std::string& text)>;

  Server(EventLoop& loop, Transport& transport, TaskPool& compute, TaskPool& disk, Storage& storage,
         const Log& log, ServerOptions options, EndHandler on_end);

  Status start();
  const std::string& endpoint() const { return endpoint_; }

 private:
  struct PullJob;
  struct PushJob;
  using PullRef = std::shared_ptr<PullJob>;
  using PushRef = std::shared_ptr<PushJob>;
  struct WaitingSlice {
    PushRef job;
    std::size_t index = 0;
    SliceStatus status = SliceStatus::kOk;
  };
  struct Slot {  // what the loop knows of a shard
    std::unique_ptr<Shard> shard;
    StepClock clock;
    std::map<std::uint32_t, WaitingSlice> waiting;  // sync: by step slot
  };

  void on_request(PeerId from, std::uint64_t id, Message message);
  void on_scheduler_request(std::uint64_t id, Message message);
  void on_hello(PeerId from, std::uint64_t id, const Hello& hello);
  void on_welcome(const Welcome& welcome);
  void on_declare(std::uint64_t id, const DeclareTables& declare);
  void on_map();
  void on_get_rows(PeerId from, std::uint64_t id, const GetRows& request);

  // The two halves of serving: admission on the loop, then the shards' lanes.
  bool serves(std::uint32_t shard, std::uint64_t map_version) const;
  bool lease_holds() const;
  void learn_map(std::uint64_t version);
  std::uint64_t count_floats(const std::vector<Section>& sections, bool& known) const;

  void on_pull(PeerId from, std::uint64_t id, Pull pull);
  bool clock_reached(const Pull& pull) const;
  void start_pull(const PullRef& job);
  void finish_pull(const PullRef& job);
  void wake_pulls();

  void on_push(PeerId from, std::uint64_t id, Push push);
  void start_push(const PushRef& job, bool fits);
  void on_pushed(const PushRef& job, std::size_t index, PushOutcome outcome);
  void release_waiting(Slot& slot);
  void answer_slice(const PushRef& job, std::size_t index, SliceStatus status, std::uint64_t version);

  void on_snapshot(std::uint64_t id, const Snapshot& request);
  void write_snapshot(std::uint32_t shard, ShardSnapshot snapshot);
  void on_restore(std::uint64_t id, const Restore& request);
  bool repeated(std::uint64_t id);
  void answer_errand(std::uint64_t id, const Message& answer);

  void housekeep();
  void fill_heartbeat(Heartbeat& heartbeat) const;
  std::uint32_t lane_of(std::uint32_t shard) const { return shard % compute_.lanes(); }
  std::uint32_t now_seconds() const;

  EventLoop& loop_;
  Transport& transport_;
  TaskPool& compute_;
  TaskPool& disk_;
  Storage& storage_;
  Log log_;
  ServerOptions options_;
  EndHandler on_end_;
  Rpc rpc_;
  SchedulerLink link_;
  std::string endpoint_;
  Duration grace_{0};
  std::map<PeerId, Role> peers_;
  std::vector<TableSpec> tables_;
  DeclareTables declared_;
  std::map<std::uint32_t, Slot> shards_;
  std::vector<PullRef> parked_pulls_;  // waiting for a step clock
  std::uint32_t requests_ = 0;
  ShardStats stats_;
  bool housekeeping_ = false;
  std::unique_ptr<SnapshotJob> snapshot_;
  std::uint64_t snapshot_ticket_ = 0;  // the request that snapshot_ answers
  std::uint64_t errand_id_ = 0;        // the newest snapshot or restore asked for
  std::optional<Message> errand_answer_;
  Timer housekeeping_timer_;
};

}  // namespace capstan
