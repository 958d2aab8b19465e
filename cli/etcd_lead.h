// EtcdLead: a scheduler's place among those of its job: it waits for the lead, keeps it, and writes the
// journal with it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "common/adapters/asio_loop.h"
#include "common/adapters/etcd_store.h"
#include "common/config/job_config.h"
#include "common/log.h"
#include "scheduler/etcd_journal.h"

namespace capstan {

class EtcdLead {
 public:
  // `holder`: this process, in words for the others.
  EtcdLead(const JobConfig& job, std::string holder, AsioLoop& loop, const Log& log);
  ~EtcdLead();  // ends the thread
  EtcdLead(const EtcdLead&) = delete;
  EtcdLead& operator=(const EtcdLead&) = delete;

  // Runs the loop until this scheduler leads; a thread of its own renews the lead from then on, but not once
  // the loop has stood still for two leases. False: a signal came first.
  bool wait();
  // Another led while this one waited: the job is under way.
  bool waited() const { return waited_; }
  EtcdJournal& journal() { return journal_; }
  // The job has ended: nobody needs to wait for the lease's end.
  void resign();

 private:
  void campaign();
  void say_once(const std::string& text);
  void beat();
  void keep();
  bool loop_hangs() const;
  void end_thread();

  AsioLoop& loop_;
  const Log& log_;
  Leadership leadership_;
  EtcdStore election_;  // the thread's, once it runs
  EtcdStore records_;
  EtcdJournal journal_;
  Timer timer_;
  Duration patience_;                  // with a loop that stands still
  std::atomic<std::int64_t> beat_{0};  // the loop's newest; 0: none yet
  std::string said_;
  bool waited_ = false, stopped_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ends_ = false;
  std::thread keeper_;
};

}  // namespace capstan
