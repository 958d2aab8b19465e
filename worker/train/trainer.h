// Trainer: asks the scheduler for work items, runs them, reports how far they are.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>

#include "common/metrics.h"
#include "worker/train/work_run.h"

namespace capstan {

class Trainer {
 public:
  Trainer(EventLoop& loop, Rpc& rpc, const Log& log, SchedulerLink& link, ServerPeers& peers, TaskPool& tasks,
          std::shared_ptr<StepProgram> program, TrainOptions options);

  void start();
  // The shard map or a greeting changed: sends what waited for it.
  void resume();
  bool idle() const { return held_.empty(); }
  // What it has sent and got since it started, as the JSON that travels in a heartbeat.
  std::string stats_json() const;
  void add_metrics(Metrics& out) const;

 private:
  using HeldId = std::uint64_t;
  struct Held {
    HeldId id = 0;
    std::unique_ptr<WorkRun> run;
    bool dropped = false;
  };

  void ask();
  void on_grant(const WorkGrant& grant);
  void on_no_work(const NoWork& answer);
  void report();
  void on_report_reply(const std::vector<HeldId>& reported, const WorkProgressReply& reply);
  WorkRun* find(HeldId id);
  void hand_in(HeldId id);
  void drop(HeldId id);

  Rpc& rpc_;
  Log log_;
  SchedulerLink& link_;
  Puller puller_;
  TrainEnv env_;
  std::list<Held> held_;
  HeldId next_id_ = 1;
  std::set<HeldId> to_hand_in_;
  bool asking_ = false;
  Timer ask_timer_;
  Timer report_timer_;
  Timer hand_in_timer_;
  Timer sweep_timer_;  // destroys dropped runs outside their own callbacks
};

}  // namespace capstan
