// DirectClient: a process that pulls rows and pushes gradients by itself, in a stream of its own
// (common/direct_stream.h), in place of working off items: what Python stands on.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"
#include "worker/train/puller.h"
#include "worker/train/push_stream.h"

namespace capstan {

struct DirectOptions {
  std::string name, job_id, host;
  std::string scheduler;  // endpoint
  std::uint64_t incarnation = 0;
  Duration startup_timeout{0};  // for the scheduler's first answer; 0: for ever
  // The job's own, where the scheduler sends one.
  std::uint64_t frame_bytes_max = 256ULL << 20;  // and no more than this
  std::uint32_t push_window = 4;
};

// All calls and callbacks on the loop. No callback runs before the call that it belongs to returns.
class DirectClient {
 public:
  using Done = std::function<void(const Status&)>;
  struct Hooks {
    std::function<void()> on_ready;  // once: tables, map and stream are there
    // Once, for good: the job has ended (well or not), or the cluster takes nothing of this client any more.
    std::function<void(bool job_ended, bool ok, const std::string& text)> on_end;
  };

  DirectClient(EventLoop& loop, Transport& transport, const Log& log, DirectOptions options, Hooks hooks);
  ~DirectClient();

  Status start();
  bool ready() const { return pushes_ != nullptr; }
  // What start() waits for, in words.
  const std::string& waits_for() const { return waits_for_; }

  // REQUIRES of these: ready().
  const std::vector<TableSpec>& tables() const { return specs_; }
  std::uint32_t num_shards() const { return link_.map().num_shards(); }
  // REQUIRES: keys unique and sorted for the wire. `take_rows` gets every range's rows once; then `done`
  // runs. A pull may overtake pushes that are not acknowledged: flush() before it to see them.
  std::uint64_t pull(StepTable table, std::function<void(const ShardRange&, const float*)> take_rows,
                     Done done);
  void cancel(std::uint64_t pull);  // neither runs any more
  // REQUIRES: keys unique and sorted for the wire, gradients finite. `taken` runs when the batch has its
  // number, which is later when as many as may be wait for their answers. Then it counts once.
  void push(std::vector<StepTable> tables, Done taken);
  // `done` runs when all pushes so far are acknowledged.
  void flush(Done done);
  // flush(), and the stream is given back. No push may follow.
  void close(Done done);
  // Asks until on_end: a job without work of its own ends with its last checkpoint, any other is stopped.
  // flush() before it.
  void end_job(const std::string& reason);
  void status(std::function<void(Result<std::string> json)> done);

 private:
  struct Pull {
    std::vector<StepTable> tables;
    PullTicket ticket;
    Done done;
    std::uint64_t id = 0;
  };
  struct Waiting {  // a push that has no number yet
    std::vector<StepTable> tables;
    PullTicket ticket;
    Done taken;
  };
  struct Flush {
    std::uint64_t pushes = 0;  // so many are to be acknowledged
    Done done;
  };

  void take_settings(const std::string& job_text);
  void ask_tables();
  void ask_stream();
  void begin(const WorkGrant& grant);
  void begin_if_mapped();
  void report();
  void on_acknowledged(std::uint64_t sequence, std::uint64_t slices);
  void number_waiting();
  void hand_in(const Done& done);
  void finish_pull(std::uint64_t id);
  void end(bool job_ended, bool ok, const std::string& text);
  void later(std::function<void()> what);
  Error ended_error() const { return make_error(ErrorCode::kUnavailable, end_text_); }
  void on_request(PeerId from, std::uint64_t id, const Message& message);
  std::string stats_json() const;

  EventLoop& loop_;
  Log log_;
  DirectOptions options_;
  Hooks hooks_;
  Rpc rpc_;
  SchedulerLink link_;
  ServerPeers peers_;
  std::string waits_for_ = "an answer of the scheduler";
  std::vector<TableSpec> specs_;
  std::optional<WorkGrant> grant_;
  std::unique_ptr<Puller> puller_;
  PushCounts counts_;
  std::unique_ptr<PushStream> pushes_;
  std::list<Pull> pulls_;
  std::list<Waiting> waiting_;
  std::list<Flush> flushes_;
  std::map<std::uint64_t, std::uint64_t> acknowledged_;  // slices, of batches above the watermark
  std::vector<std::uint64_t> versions_;                  // [shards]: as pulled last
  WorkCursor cursor_;
  std::uint64_t requested_ = 0, numbered_ = 0;  // pushes
  std::uint64_t steps_ = 0, last_pull_ = 0;
  bool closes_ = false, ended_ = false;
  std::string end_text_;
  // Callbacks that were put off may come when it is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timer ask_timer_, report_timer_, hand_in_timer_, end_job_timer_;
};

}  // namespace capstan
