// SimCluster: a scheduler, servers and workers with a ledger's job to do, as nodes of one simulated world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "ps/server.h"
#include "scheduler/scheduler.h"
#include "sim/ledger.h"
#include "sim/ledger_program.h"
#include "sim/rare_paths.h"
#include "sim/sim_scheduler.h"
#include "sim/world.h"
#include "worker/worker.h"

namespace capstan {

struct ClusterOptions {
  LedgerShape shape;
  // Without workers only a test's own clients push, to the ledger's tables (`task: direct`).
  std::uint32_t servers = 2, workers = 2, replicas = 1;
  std::uint32_t schedulers = 0;  // that lead in turn, with a store in common; 0: one, with a file
  Consistency consistency = Consistency::kAsync;
  std::uint32_t staleness = 2;  // bounded
  bool pull_copies = false;     // bounded
  std::uint32_t pipeline_depth = 2, push_window = 4;
  std::uint32_t slowness = 1;  // how many times as long tasks take on the first worker's machine
  std::uint64_t lease_ms = 1000;
  std::uint64_t checkpoint_every_steps = 0;  // 0: no checkpoints
  std::uint32_t checkpoint_full_every = 8, checkpoint_keep = 2;
  StartMode start = StartMode::kNew;
  RarePaths rare;
  SimOptions sim;

  ClusterOptions();  // slow enough for faults to fall into the job
};

// Schedulers and servers share one disk. A node that crashed restarts as a new process with a new
// incarnation; a scheduler goes on from its journal. One that ends before the job is started again.
class SimCluster {
 public:
  SimCluster(std::uint64_t seed, const ClusterOptions& options);

  SimWorld& world() { return world_; }
  const Ledger& ledger() const { return *ledger_; }
  const ClusterOptions& options() const { return options_; }
  Findings& findings() { return *findings_; }
  SimNode& scheduler() { return *scheduler_; }  // of several the one that began to lead last
  SimNode& scheduler(std::size_t n) { return *schedulers_[n]; }
  SimStore& store() { return store_; }
  SimNode& server(std::size_t n) { return *servers_[n]; }
  SimNode& worker(std::size_t n) { return *workers_[n]; }
  // Not a tool, nor of a cluster that was given up.
  bool has(const SimNode& node) const;
  // nullptr while its node is down.
  std::shared_ptr<const Server> server_process(const SimNode& node) const;
  // Whether no shard would be lost with the server: each that it is in the chain of has another member, up
  // and the process that the scheduler knows.
  bool can_lose(const SimNode& server) const { return keeps_all_rows(&server); }
  // The same with nobody lost.
  bool has_all_rows() const { return keeps_all_rows(nullptr); }
  std::shared_ptr<const Scheduler> scheduler_process() const { return scheduler_process_.lock(); }

  // A server more, started now.
  SimNode& add_server();
  // Tells the scheduler, as an operator would; false: it is down, or refuses.
  bool drain(const SimNode& server);
  // It was drained and has ended.
  bool has_left(const SimNode& server) const { return left_.contains(&server); }

  // The job has ended, well or not, as the scheduler knows.
  bool ended() const;
  // Gives ended(). Looks for two owners of a shard now and then, which are a finding.
  bool run_until_ended(Duration limit);
  bool ok() const;
  std::string end_text() const;
  // The report as the scheduler wrote it; empty: it has not yet.
  std::string report();
  // Processes that gave up before the job's end, in words.
  const std::vector<std::string>& quits() const { return quits_; }

  void crash(SimNode& node, SimWorld::Crash kind) { world_.crash(node, kind); }
  void restart(SimNode& node) { world_.restart(node); }
  // Each task of a server's disk takes up to so much longer, from now on.
  void slow_disks(Duration most);
  // The scheduler dies and its journal is gone; another one asks the servers, but for those given up.
  void rebuild_without_journal(const std::vector<std::string>& given_up = {});
  // The same, but somebody starts another one as if nothing were known: it must stop when it hears of a node
  // that lives, and leave everything as it was. Then one asks the servers.
  void start_without_journal(StartMode mode);
  std::string scheduler_endpoints() const;
  bool starts_falsely() const { return false_start_.has_value(); }
  // Everything dies; then a new cluster with other nodes goes on from the last checkpoint on the old disk.
  void crash_all_and_resume(std::uint32_t servers, std::uint32_t workers);
  // The same, but the workers live on and know nothing of it until they hear from the new scheduler.
  void crash_all_but_workers_and_resume(std::uint32_t servers);

  // Rows of a table as the servers hold them now, asked for over the network. A key without a row has no
  // entry.
  std::map<Key, std::vector<float>> read_rows(const std::string& table);
  // Compares the servers' rows with the whole ledger; empty when they are equal, else what differs.
  std::string check_rows();
  // Compares the bytes of every shard on all members of its chain, at rest. Empty when they are equal.
  std::string check_replicas() const;
  // Reads every checkpoint that is published: each row of the ledger must hold just the batches that the
  // shard's memory of pushes in the same checkpoint says, all of those that a restore would not do again, in
  // sync no others, and no table more rows than it may have. Empty when all do.
  std::string check_checkpoints() const;
  // Shards that two servers serve at this moment; empty when there is none. A stopped process serves nobody.
  std::string check_owners() const;

 private:
  bool keeps_all_rows(const SimNode* without) const;
  void add_nodes();
  void add_workers();
  void crash(bool workers_too);
  std::shared_ptr<void> start_scheduler(SimNode& node);
  std::shared_ptr<Scheduler> start_with_journal(SimNode& node, const SchedulerOptions& options);
  std::shared_ptr<void> start_in_turn(SimNode& node, SchedulerOptions options);
  void start_again_soon(SimNode& node);
  void lose_journal();
  void see_false_start_end(const std::string& why);
  std::vector<std::string> published_checkpoints() const;
  SchedulerOptions scheduler_options(const SimNode& node) const;
  std::shared_ptr<void> start_server(SimNode& node);
  std::shared_ptr<void> start_worker(SimNode& node);
  JobConfig config() const;
  void leave(SimNode& node);
  void quit(const SimNode& node, const std::string& why);
  Log log(const SimNode& node) const;
  std::string in_this_life(const std::string& bare_name) const;
  // Its name within the job: clusters that were given up had nodes of the same.
  static std::string bare_name(const SimNode& node) { return node.name().substr(0, node.name().find('\'')); }

  ClusterOptions options_;
  std::shared_ptr<const Ledger> ledger_;
  std::shared_ptr<Findings> findings_ = std::make_shared<Findings>();
  std::vector<std::string> quits_;
  std::uint64_t last_incarnation_ = 0;
  std::uint32_t life_ = 0;  // how often the whole cluster was made
  bool scheduler_started_ = false;
  bool rebuilds_ = false;
  struct FalseStart {
    StartMode mode{};
    std::optional<std::vector<std::string>> checkpoints;  // when it began
  };
  std::optional<FalseStart> false_start_;
  std::uint64_t looked_ = 0;  // whether the job has ended
  std::vector<std::string> given_up_;
  std::weak_ptr<Scheduler> scheduler_process_;
  std::map<const SimNode*, std::weak_ptr<Server>> server_processes_;
  std::map<const SimNode*, std::uint64_t> incarnations_;  // of servers
  std::set<const SimNode*> left_;
  SimWorld world_;
  SimStore store_;
  SimNode* scheduler_ = nullptr;
  std::vector<SimNode*> schedulers_, servers_, workers_;
};

}  // namespace capstan
