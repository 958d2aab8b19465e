// Worker: prepares the data, tells the scheduler which tables the model needs, and works off what it is
// given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rpc.h"
#include "common/scheduler_link.h"
#include "common/server_peers.h"
#include "common/task_pool.h"
#include "worker/train/trainer.h"

namespace capstan {

struct WorkerOptions {
  std::string name, job_id, host;
  std::string scheduler;  // endpoint
  std::uint64_t incarnation = 0;
  Duration startup_timeout{0};  // for the scheduler's first answer; 0: for ever
};

// A program and how to run it, made from the effective job file that the scheduler sends.
struct WorkerJob {
  std::shared_ptr<StepProgram> program;
  TrainOptions options;
};
using JobLoader = std::function<Result<WorkerJob>(const std::string& job_text)>;

// The loader runs as a task, off the loop: it may read data for minutes.
class Worker {
 public:
  using EndHandler = std::function<void(bool ok, const std::string& text)>;

  Worker(EventLoop& loop, Transport& transport, TaskPool& tasks, const Log& log, WorkerOptions options,
         JobLoader loader, EndHandler on_end);

  Status start();
  // It has prepared its data, and its lease holds.
  bool ready() const;
  void add_metrics(Metrics& out) const;

 private:
  void on_welcome(const Welcome& welcome, bool first);
  void on_loaded();
  void announce();
  void announce_again();
  void on_request(PeerId from, std::uint64_t id, const Message& message);
  std::string stats_json() const;

  EventLoop& loop_;
  TaskPool& tasks_;
  Log log_;
  WorkerOptions options_;
  JobLoader loader_;
  EndHandler on_end_;
  Rpc rpc_;
  SchedulerLink link_;
  ServerPeers peers_;
  std::shared_ptr<Result<WorkerJob>> job_;  // nothing while it loads
  std::unique_ptr<Trainer> trainer_;
  bool started_ = false;
  Timer announce_timer_;
};

}  // namespace capstan
