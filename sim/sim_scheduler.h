// SimScheduler: a scheduler that leads in its turn, on a node of a simulated world, as `capstan scheduler`
// does with `store: etcd`.
#pragma once

#include <functional>
#include <memory>

#include "common/log.h"
#include "scheduler/etcd_journal.h"
#include "scheduler/leadership.h"
#include "scheduler/scheduler.h"
#include "sim/sim_store.h"

namespace capstan {

class SimScheduler {
 public:
  struct Hooks {
    std::function<bool()> may_lead;                           // no: it looks again later
    std::function<StartMode(bool waited)> start_mode;         // waited: another led before
    std::function<void(std::shared_ptr<Scheduler>)> on_lead;  // it has just begun
    std::function<void(const std::string& why)> on_exit;      // its process ends, and the job does not
  };

  SimScheduler(SimNode& node, SimStore& store, const Log& log, SchedulerOptions options,
               std::size_t journal_value_bytes, Hooks hooks);

 private:
  void campaign();
  void lead();
  void renew();

  SimNode& node_;
  Log log_;
  SchedulerOptions options_;
  Hooks hooks_;
  SimStoreLink election_, records_;
  Leadership leadership_;
  EtcdJournal journal_;
  Timer timer_;
  bool waited_ = false;
  std::shared_ptr<Scheduler> scheduler_;
};

}  // namespace capstan
