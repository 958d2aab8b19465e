// ChaosScene: a training cluster of real processes that is struck again and again; how long the workers stood
// still, and what came of it all.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/rng.h"
#include "tests/e2e/ledger_scene.h"
#include "tests/e2e/resource_log.h"

namespace capstan {

class ChaosScene : public LedgerScene {
 protected:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint32_t kServers = 3, kWorkers = 2, kReplicas = 2;

  // The faults that CAPSTAN_CHAOS_FAULTS asks for, more than fit into CAPSTAN_CHAOS_MINUTES, or `otherwise`.
  // Of the job's `train`: CAPSTAN_CHAOS_CONSISTENCY is async (or not there), bounded or sync.
  static std::string consistency();
  static std::string train_settings();
  static std::uint32_t faults_wanted(std::uint32_t otherwise);
  // There have been enough faults, or minutes of them.
  bool struck_enough(std::uint32_t otherwise) const;
  // `planned` faults in a job of 2000 batches times `size`.
  ChaosScene(std::uint32_t planned, std::uint32_t size)
      : LedgerScene(kChaosSeed + size), rng_(kChaosSeed + planned), planned_(planned) {}

  std::string any_server() { return fmt::format("ps-{}", rng_.below(kServers)); }
  std::string any_worker() { return fmt::format("worker-{}", rng_.below(kWorkers)); }
  std::chrono::milliseconds a_while(std::uint32_t most_ms) {
    return std::chrono::milliseconds(100 + rng_.below(most_ms - 100));
  }

  // In a run of minutes one of each role is struck, but never killed: it shows whether processes grow.
  static bool is_spared(const std::string& node);

  virtual void start_again(const std::string& node);
  void wait_for(const std::string& node);
  // kill -9 and a new process after a while; or a stop, and on it goes.
  virtual void kill_and_start(const std::string& node, std::chrono::milliseconds down);
  void stop_and_wake(const std::string& node, std::chrono::milliseconds down);

  // Every node lives and every chain has all its members.
  bool whole();
  virtual bool ended() { return scheduler_->ended().has_value(); }
  // What the scheduler has said, whichever leads.
  virtual std::string scheduler_log() const { return scheduler_->err(); }
  virtual void expect_end() { expect_job_ends_well(); }
  // What an operator's supervisor does all the time.
  virtual void tend() {}

  // Waits for `happened` and measures meanwhile for how long no worker computed anything at a time.
  bool watch(const std::function<bool()>& happened, std::chrono::milliseconds patience = kPatience);
  void watch_for(std::chrono::milliseconds time);

  struct Strike {
    std::string name;            // of the kind: "kill -9 of a server"
    std::function<void()> deed;  // over when it returns
  };
  // The least time of a batch from now on.
  void set_pace(std::chrono::milliseconds batch) const;
  // Until the cluster trains and is whole; start_training() starts it, too.
  void train();
  void start_training();
  // The fault, and the way back to a whole cluster that trains, at a pace at which the job outlasts its
  // faults.
  void strike(const Strike& strike);
  // To the job's end: it ended well, every row is exact, and the report says the same. Prints the summary.
  void finish(const std::string& title);

  Rng rng_;
  std::uint32_t faults_ = 0;
  Clock::time_point begun_ = Clock::now();

 private:
  struct Seen {
    std::vector<double> pauses, whole_again;  // seconds
  };

  void note_resources();
  void outlast_faults() const;
  void print_summary(const std::string& title);
  void print_growth() const;

  std::uint32_t planned_;
  Clock::time_point trains_since_, next_look_;
  Clock::duration pause_{};
  std::map<std::string, Seen> seen_;
  ResourceLog resources_;
  std::map<std::string, pid_t> spared_;  // as they were when the faults were over
};

}  // namespace capstan
