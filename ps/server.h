// Server: a PS node. It owns shards while its lease holds, answers pulls and pushes, writes and reads
// snapshots.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/message.h"
#include "common/metrics.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"
#include "common/storage.h"
#include "common/task_pool.h"
#include "ps/copy_waits.h"
#include "ps/hot_keys.h"
#include "ps/promises.h"
#include "ps/replica_log.h"
#include "ps/request_quota.h"
#include "ps/shard.h"
#include "ps/snapshot_job.h"
#include "ps/snapshot_pace.h"

namespace capstan {

struct ServerOptions {
  std::string name, job_id, host, zone;
  std::string scheduler;           // endpoint
  std::string bind;                // endpoint; port 0 picks one
  std::string advertise;           // endpoint that others are told; port 0: the bound one; empty: as bound
  std::uint64_t incarnation = 0;   // new for every start
  Duration startup_timeout{0};     // for the scheduler's first answer; 0: for ever
  std::uint64_t memory_limit = 0;  // bytes of rows; 0: none
  // Seconds since 1970: what a ttl counts in, also over restarts. Empty: the loop's clock.
  std::function<std::uint32_t()> unix_seconds;
  RequestLimits requests;
  // Of rows that a checkpoint goes over while others are served; 0: no limit.
  std::uint64_t snapshot_bytes_per_second = 128ULL << 20;
  std::uint32_t chunk_bytes = 1U << 20;  // of a shard on its way to a learner
  // Of records that are kept for a learner until it has the shard, at most a 64th of the memory limit. Beyond
  // it the copy begins anew.
  std::uint64_t learner_backlog_bytes = 32ULL << 20;
  std::uint64_t frame_bytes_max = 256ULL << 20;  // of a message
};

enum class ShardRole : std::uint8_t { kPrimary, kMember, kLearner };

// A shard as its server holds it, for tests.
struct HeldShard {
  std::uint32_t shard = 0;
  ShardRole role = ShardRole::kPrimary;
  std::uint64_t epoch = 0, applied = 0;
  bool serves = false;                // answers pushes and pulls at this moment
  bool handed_over = false;           // it led the chain, and will not before the shard's epoch rises
  std::uint64_t learner_backlog = 0;  // bytes of records that are kept for a learner
  const Shard* rows = nullptr;
};

// Shards run on the lanes of `compute`, files on those of `disk`; all else on the loop.
class Server {
 public:
  using EndHandler = std::function<void(bool ok, const std::string& text)>;

  Server(EventLoop& loop, Transport& transport, TaskPool& compute, TaskPool& disk, Storage& storage,
         const Log& log, ServerOptions options, EndHandler on_end);

  Status start();
  const std::string& endpoint() const { return endpoint_; }  // that others are told
  std::vector<HeldShard> held_shards() const;
  // Its lease holds.
  bool ready() const;
  // As counted by the last housekeeping, half a second ago at most. O(shards).
  void add_metrics(Metrics& out) const;

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
  struct Lesson {  // the last member of a chain gives its shard to a learner
    enum class Stage { kQueued, kSaving, kSending, kFollowing } stage = Stage::kQueued;
    NodeId learner = 0;
    std::uint64_t session = 0;
    std::uint64_t position = 0;  // what the bytes contain
    Buffer bytes{};
    std::uint32_t next = 0;        // chunk
    std::uint64_t include_at = 0;  // once the learner counts: it is ready when it has this
    bool told = false;             // the scheduler
    std::unique_ptr<Timer> pause{};
  };
  struct Intake {  // the learner's side
    std::uint64_t session = 0, position = 0;
    std::uint32_t next = 0, count = 0;
    std::vector<std::byte> bytes;
  };
  // A primary leaves the shard to another: it takes no more pushes until all that it took is committed, and
  // then serves nothing.
  enum class Handover : std::uint8_t { kNone, kDraining, kDone };
  struct Slot {  // what the loop knows of a shard
    std::unique_ptr<Shard> shard;
    StepClock clock;
    std::map<std::uint32_t, WaitingSlice> waiting;  // sync: by step slot
    ShardRole role = ShardRole::kPrimary;
    std::uint64_t epoch = 0;
    std::uint64_t leads_since = 0;  // the epoch that made us primary
    Handover handover = Handover::kNone;
    std::uint64_t declared = 0;                    // which of the declarations `shard` has heard
    NodeId before = 0;                             // whose records are taken
    std::uint64_t submitted = 0;                   // the newest record given to the lane
    ShardStats counted{};                          // as of `counted_rows`
    const Shard* counted_rows = nullptr;           // which had done nothing before they were first counted
    std::uint64_t rows_served = 0, rows_told = 0;  // as counted last, and in the last heartbeat with loads
    bool in_place = true;                          // a learner has got its rows
    ReplicaLog log;
    std::optional<Lesson> lesson;
    std::optional<Intake> intake;
  };
  struct SentRecords {  // of one shard, in one message
    std::uint32_t shard = 0;
    std::uint64_t round = 0, last = 0;
  };

  void on_request(PeerId from, std::uint64_t id, Message message);
  void on_scheduler_request(std::uint64_t id, Message message);
  void on_hello(PeerId from, std::uint64_t id, const Hello& hello);
  void on_welcome(const Welcome& welcome);
  void on_declare(std::uint64_t id, const DeclareTables& declare);
  void see_shared_folder(std::uint64_t id, const DeclareTables& declare);
  void on_map();
  void take_place(std::uint32_t shard);
  void declare_to(Slot& slot, std::uint32_t shard);
  void begin_rows(Slot& slot, std::uint32_t shard);
  void new_rows(Slot& slot, std::uint32_t shard);
  void leave_place(std::uint32_t shard);
  void give_up_answers(Slot& slot);
  // The slot that still holds these rows; nullptr when they have gone meanwhile.
  Slot* slot_of(std::uint32_t shard, const Shard* rows);
  const Slot* primary_slot(std::uint32_t shard) const;
  void on_get_rows(PeerId from, std::uint64_t id, const GetRows& request);

  // The two halves of serving: admission on the loop, then the shards' lanes.
  bool serves(std::uint32_t shard, std::uint64_t map_version) const;
  bool may_act(std::uint32_t shard) const;
  void learn_map(std::uint64_t version);
  std::uint64_t count_value_bytes(const std::vector<Section>& sections, bool& known) const;

  void on_pull(PeerId from, std::uint64_t id, Pull pull);
  bool is_fenced(const Pull& pull) const;
  bool serves_copy(std::uint32_t shard, const Pull& pull) const;
  bool clock_reached(const Pull& pull) const;
  bool take_in(PeerId from, std::uint64_t bytes);
  std::uint64_t answer_bytes(const Pull& pull) const;
  void start_pull(const PullRef& job);
  void finish_pull(const PullRef& job);
  void wake_pulls();

  void on_push(PeerId from, std::uint64_t id, Push push);
  void start_push(const PushRef& job, bool fits);
  void on_pushed(const PushRef& job, std::size_t index, const PushedSlice& slice, const Shard* rows,
                 std::uint32_t now_seconds, PushOutcome outcome);
  void answer_committed(Slot& slot, const PushRef& job, std::size_t index, SliceStatus status,
                        std::uint64_t version);
  void release_waiting(Slot& slot, SliceStatus status);
  void answer_slice(const PushRef& job, std::size_t index, SliceStatus status, std::uint64_t version);

  // Records: to the next in the chain, and from the one before.
  void log_push(Slot& slot, std::uint32_t shard, const PushedSlice& slice, const PushOutcome& outcome,
                std::uint32_t now_seconds);
  void log_other(Slot& slot, std::uint32_t shard, ShardRecord record);
  void send_records();
  void send_to(NodeId node, std::vector<std::uint32_t> shards);
  void on_confirmed(NodeId node, const std::vector<SentRecords>& sent, const Result<Message>& reply);
  void send_again_later();
  void run_ready(Slot& slot);
  struct TakenRecord;
  void on_replicate(PeerId from, std::uint64_t id, const Replicate& message);
  void on_replayed(std::vector<TakenRecord>& records);
  void acknowledge(PeerId from, std::uint64_t id, const std::map<std::uint32_t, ReplicaAck>& acks);
  void on_promise_request(PeerId from, std::uint64_t id, const PromiseRequest& request);
  ReplicaStatus judge(std::uint32_t shard, std::uint64_t epoch, NodeId sender) const;

  // A learner's rows: giving and taking.
  void begin_lessons();
  Duration take_turn(std::uint64_t bytes);
  std::uint64_t backlog_most() const;
  void watch_backlog(std::uint32_t shard, Slot& slot);
  void save_for(std::uint32_t shard, Slot& slot);
  void send_chunk(std::uint32_t shard);
  void on_chunk_reply(std::uint32_t shard, std::uint64_t session, const Result<Message>& reply);
  void follow_up(Slot& slot);
  static bool is_taught(const Slot& slot);
  void tell_ready();
  void on_shard_chunk(PeerId from, std::uint64_t id, const ShardChunk& chunk);
  void place_rows(PeerId from, std::uint64_t id, std::uint32_t shard, Slot& slot);

  void on_hand_over(const HandOver& request);
  bool may_give(std::uint32_t shard) const;
  void begin_handover(std::uint32_t shard, Slot& slot);
  void on_drained(std::uint32_t shard, const Shard* rows, std::uint64_t epoch);
  void tell_handed_over();

  void on_snapshot(std::uint64_t id, const Snapshot& request);
  void take_snapshots();
  void rest_after_snapshot();
  void take_snapshot(std::uint32_t shard);
  void write_snapshot(std::uint32_t shard, ShardSnapshot snapshot);
  void on_restore(std::uint64_t id, const Restore& request);
  struct RestoreJob;
  void restore_next(const std::shared_ptr<RestoreJob>& job);
  struct RestoredShard;
  void restore_shard(const std::shared_ptr<RestoreJob>& job, const std::shared_ptr<RestoredShard>& restored);
  static void take_restored(Shard& rows, const std::string& directory, std::uint64_t fence,
                            std::uint64_t bytes_max, RestoredShard& restored);
  void end_restore(const std::shared_ptr<RestoreJob>& job, const RestoredShard& restored);
  bool repeated(std::uint64_t id);
  void answer_errand(std::uint64_t id, const Message& answer);

  void housekeep();
  void watch_memory();
  void on_status(std::uint64_t id);
  std::uint64_t memory_limit() const;
  std::map<NodeId, std::uint64_t> room_for_a_shard() const;
  std::uint64_t bytes_max_of(std::uint32_t shard, const std::map<NodeId, std::uint64_t>& room) const;
  void collect_stats(bool evicts, std::function<void()> done);
  void count_progress(Slot& slot, const ShardStats& now);
  std::string stats_json() const;
  void fill_heartbeat(Heartbeat& heartbeat);
  void tell_loads(Heartbeat& heartbeat);
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
  CopyWaits copy_waits_;
  ServerPeers others_;                               // the servers after us in some chain
  Promises promises_;                                // made to us
  std::map<std::uint32_t, Instant> promised_until_;  // by us: shards that another serves until then
  std::string endpoint_;
  Duration grace_{0};
  std::uint64_t catch_up_rate_ = 0;  // bytes a second to all learners together; 0: no limit
  Instant next_turn_{};              // of a chunk
  std::uint64_t lessons_begun_anew_ = 0;
  Instant told_of_backlog_{};
  std::map<PeerId, Role> peers_;
  std::vector<TableSpec> tables_;
  DeclareTables declared_;
  std::uint64_t declarations_ = 0;  // heard so far
  std::map<std::uint32_t, Slot> shards_;
  std::vector<PullRef> parked_pulls_;  // waiting for a step clock
  RequestQuota quota_;
  ShardStats stats_;
  ShardStats done_;                      // by this process, with shards that it led: never falls
  std::uint64_t stats_map_version_ = 0;  // they were counted under
  bool housekeeping_ = false;
  std::uint64_t over_memory_limit_ = 0;  // housekeepings that could not bring the tables within it
  std::uint64_t copies_served_ = 0;      // slices
  HotKeys hot_keys_;
  std::vector<HotKeys::Hot> hottest_;
  LatencyHistogram pulls_answered_, pushes_applied_, pushes_answered_;
  Instant warned_of_memory_{};
  Instant loads_told_{};
  std::unique_ptr<SnapshotJob> snapshot_;
  std::uint64_t snapshot_ticket_ = 0;  // the request that snapshot_ answers
  Snapshot snapshot_request_;
  std::deque<std::uint32_t> snapshot_left_;  // shards not begun with
  std::size_t snapshots_taking_ = 0;         // on their lanes
  SnapshotPace pace_;
  std::uint64_t taken_in_ = 0;   // requests
  std::uint64_t errand_id_ = 0;  // the newest snapshot or restore asked for
  std::optional<Message> errand_answer_;
  std::set<std::uint32_t> unsent_;  // shards with records for the one after
  std::uint64_t last_session_ = 0;
  Timer housekeeping_timer_;
  Timer send_again_timer_;
  Timer snapshot_rest_;
};

}  // namespace capstan
