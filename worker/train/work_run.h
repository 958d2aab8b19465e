// WorkRun: one leased work item on its way: build, pull, compute and push of its batches, overlapped.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/config/job_config.h"
#include "common/event_loop.h"
#include "common/log.h"
#include "common/message.h"
#include "common/task_pool.h"
#include "worker/train/puller.h"
#include "worker/train/push_stream.h"
#include "worker/train/step_program.h"

namespace capstan {

struct TrainOptions {
  Consistency consistency = Consistency::kAsync;
  std::uint32_t staleness = 0;
  bool pull_copies = false;          // bounded: backups may be asked for rows
  std::uint32_t pipeline_depth = 2;  // steps built or pulled ahead of the one that computes, itself included
  std::uint32_t push_window = 4;     // unacknowledged steps
  std::uint32_t num_shards = 256;
  std::uint32_t max_bad_batches = 10;
  std::uint64_t frame_bytes_max = 256ULL << 20;  // pulls and pushes are split so as to stay within
};

// What a run works with. All outlive it.
struct TrainEnv {
  EventLoop& loop;
  Rpc& rpc;
  Log log;
  SchedulerLink& link;
  ServerPeers& peers;
  Puller& puller;
  TaskPool& tasks;                       // lane 0 builds, the last lane computes
  std::shared_ptr<StepProgram> program;  // tasks share it: they may end after all else
  TrainOptions options;
  PushCounts pushes;
  std::uint64_t steps = 0;  // of the whole job, as the scheduler said last, and own batches since
};

// On the loop. A run is destroyed only between callbacks, never from within one of its own.
class WorkRun {
 public:
  struct Hooks {
    std::function<void()> on_finished;  // all batches acknowledged and result() set, or error() set
    std::function<void()> on_fenced;    // another worker holds the item
  };

  WorkRun(TrainEnv& env, WorkItem item, const WorkGrant& grant, Hooks hooks);
  ~WorkRun();
  WorkRun(const WorkRun&) = delete;
  WorkRun& operator=(const WorkRun&) = delete;

  void start() { pump(); }
  void resume() {
    if (pushes_) pushes_->resume();
  }
  // Another worker would do the batches from `batch` on: leaves it the segments from there on that have not
  // been begun, for good, and says so with cursor().end. False: there are none.
  bool leave_from(std::uint64_t batch);
  const WorkCursor& cursor() const { return cursor_; }
  const std::string& error() const { return error_; }
  const Buffer& result() const { return result_; }
  bool finished() const { return finished_; }

 private:
  struct Stage;
  using StageRef = std::shared_ptr<Stage>;

  void pump();
  void build(const StageRef& stage);
  void pull_built();
  void pull(const StageRef& stage);
  void compute_front();
  void on_computed(const StageRef& stage);
  void push(const StageRef& stage);
  void acknowledge(std::uint64_t sequence, std::uint64_t slices);
  void finish();
  void fail(const std::string& why);
  bool pushes() const { return item_.kind == WorkKind::kTrain; }
  std::uint64_t needs_clock(std::uint64_t batch) const;
  StepId step_id(std::uint64_t batch) const;

  TrainEnv& env_;
  WorkItem item_;
  Hooks hooks_;
  WorkCursor cursor_;
  std::uint64_t next_batch_;
  Segments segments_;
  std::deque<StageRef> stages_;  // built, pulled or computing, by batch
  // Computed batches above the watermark, by sequence. They are counted when it passes them and not before:
  // the next holder of the item computes what lies above it again.
  struct Computed {
    std::uint64_t examples = 0, slices = 0;
    double loss_sum = 0.0;
    bool bad = false, acknowledged = false;
  };
  std::map<std::uint64_t, Computed> computed_;
  std::uint64_t refused_ = 0;  // batches, counted or not
  std::unique_ptr<PushStream> pushes_;
  Instant built_at_{};  // the last one: lane 0 builds one at a time
  bool computing_ = false;
  bool finishing_ = false;
  bool finished_ = false;
  std::string error_;
  Buffer result_;
  // Tasks and answers may come after the run is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace capstan
