#include "sim/cluster.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>

#include "common/assert.h"
#include "sim/row_reader.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
constexpr const char* kStore = "store";

// Some lanes of a pool, as a pool of their own.
class LaneRange final : public TaskPool {
 public:
  LaneRange(TaskPool& pool, std::uint32_t first, std::uint32_t count)
      : pool_(pool), first_(first), count_(count) {}
  std::uint32_t lanes() const override { return count_; }
  void run(std::uint32_t lane, std::function<void()> work, std::function<void()> done) override {
    pool_.run(first_ + lane, std::move(work), std::move(done));
  }

 private:
  TaskPool& pool_;
  std::uint32_t first_, count_;
};

SimOptions with_lanes(SimOptions options, std::uint32_t lanes) {
  options.tasks.lanes = lanes;
  return options;
}

// The keys' rows in this shard.
void add_rows(const EmbeddingTable& held, const std::vector<Key>& keys,
              std::map<Key, std::vector<float>>& rows) {
  for (const Key key : keys) {
    const auto row = held.find_row(key);
    if (row.empty()) continue;
    rows[key].resize(held.layout().dim());
    held.layout().read_weights(row.data(), rows[key].data());
  }
}

}  // namespace

ClusterOptions::ClusterOptions() {
  sim.tasks.work_max = milliseconds(12);
  sim.tasks.done_max = milliseconds(4);
  sim.drift_ppm_max = 20'000;
}

// One lane a shard, and one for the disk.
SimCluster::SimCluster(std::uint64_t seed, const ClusterOptions& options)
    : options_(options),
      ledger_(std::make_shared<Ledger>(options.shape)),
      world_(seed, with_lanes(options.sim, options.shape.num_shards + 1)),
      store_(world_, seed) {
  add_nodes();
  add_workers();
}

std::string SimCluster::in_this_life(const std::string& bare_name) const {
  return life_ == 0 ? bare_name : fmt::format("{}'{}", bare_name, life_);
}

void SimCluster::add_nodes() {
  CAPSTAN_ASSERT(options_.schedulers <= 2, "there are two endpoints");
  schedulers_.clear();
  for (std::uint32_t n = 0; n < std::max(options_.schedulers, 1U); ++n) {
    const std::string name = n == 0 ? "scheduler" : fmt::format("scheduler-{}", n);
    schedulers_.push_back(&world_.add_node(in_this_life(name), kStore));
  }
  scheduler_ = schedulers_.front();
  servers_.clear();
  for (std::uint32_t n = 0; n < options_.servers; ++n) {
    servers_.push_back(&world_.add_node(in_this_life(fmt::format("ps-{}", n)), kStore));
  }
  scheduler_started_ = false;
  for (SimNode* node : schedulers_) {
    world_.start(*node, [this](SimNode& self) { return start_scheduler(self); });
  }
  for (SimNode* node : servers_) world_.start(*node, [this](SimNode& self) { return start_server(self); });
}

void SimCluster::add_workers() {
  workers_.clear();
  for (std::uint32_t n = 0; n < options_.workers; ++n) {
    workers_.push_back(&world_.add_node(in_this_life(fmt::format("worker-{}", n))));
    if (n == 0) world_.set_slowness(*workers_.back(), options_.slowness);
    world_.start(*workers_.back(), [this](SimNode& self) { return start_worker(self); });
  }
}

Log SimCluster::log(const SimNode& node) const {
  const bool loud = std::getenv("CAPSTAN_SIM_LOG") != nullptr;
  return loud ? Log::to_stderr(node.name(), LogLevel::kDebug) : Log::silent();
}

JobConfig SimCluster::config() const {
  JobConfig job;
  job.name = "sim";
  job.seed = options_.shape.seed;
  job.work_dir = "work";
  job.report = "report.json";
  job.train.consistency = options_.consistency;
  job.train.staleness = options_.staleness;
  job.train.passes = options_.shape.passes;
  job.train.partitions = options_.shape.partitions;
  if (options_.workers == 0) {
    job.task = Task::kDirect;
    for (const TableSpec& table : ledger_->tables()) {
      TableConfig& of_ledger = job.tables[table.name];
      of_ledger.dim = table.dim;
      of_ledger.init = table.init;
      of_ledger.optimizer = table.optimizer;
    }
  }
  job.cluster.servers = options_.servers;
  job.cluster.workers = options_.workers;
  job.cluster.replicas = options_.replicas;
  job.cluster.num_shards = options_.shape.num_shards;
  job.cluster.lease_ms = options_.lease_ms;
  job.cluster.catch_up_rate = options_.rare.catch_up_rate;
  job.cluster.scheduler_grace_ms = options_.rare.scheduler_grace_ms;
  job.cluster.startup_timeout_ms = 600'000;
  if (options_.checkpoint_every_steps > 0) {
    job.checkpoint.path = "checkpoints";
    job.checkpoint.every_steps = options_.checkpoint_every_steps;
    job.checkpoint.keep = options_.checkpoint_keep;
    job.checkpoint.full_every = options_.checkpoint_full_every;
  }
  return job;
}

std::shared_ptr<void> SimCluster::start_server(SimNode& node) {
  struct Process {
    Process(SimNode& self, std::uint32_t shards, const Log& log, ServerOptions options,
            Server::EndHandler on_end)
        : compute(self.tasks(), 0, shards),
          disk(self.tasks(), shards, 1),
          server(self.loop(), self.transport(), compute, disk, self.storage(), log, std::move(options),
                 std::move(on_end)) {}
    LaneRange compute, disk;
    Server server;
  };
  ServerOptions options;
  options.name = bare_name(node);
  options.job_id = "sim";
  options.host = node.name();
  options.scheduler = scheduler_endpoints();
  options.bind = fmt::format("sim://{}:0", node.name());
  options.incarnation = incarnations_[&node] = ++last_incarnation_;
  options.chunk_bytes = options_.rare.chunk_bytes;
  options.learner_backlog_bytes = options_.rare.learner_backlog_bytes;
  options.requests = options_.rare.requests;
  options.frame_bytes_max = options_.rare.record_frame_bytes;
  options.snapshot_bytes_per_second = options_.rare.snapshot_bytes_per_second;
  auto process = std::make_shared<Process>(
      node, options_.shape.num_shards, log(node), std::move(options),
      [this, &node](bool ok, const std::string& why) { ok && !ended() ? leave(node) : quit(node, why); });
  CAPSTAN_ASSERT(process->server.start().ok(), "a server starts");
  server_processes_[&node] = std::shared_ptr<Server>(process, &process->server);
  return process;
}

std::shared_ptr<void> SimCluster::start_worker(SimNode& node) {
  WorkerOptions options;
  options.name = bare_name(node);
  options.job_id = "sim";
  options.host = node.name();
  options.scheduler = scheduler_endpoints();
  options.incarnation = ++last_incarnation_;
  const auto loader = [this](const std::string&) -> Result<WorkerJob> {
    TrainOptions train;
    train.consistency = options_.consistency;
    train.staleness = options_.staleness;
    train.pull_copies = options_.pull_copies;
    train.pipeline_depth = options_.pipeline_depth;
    train.push_window = options_.push_window;
    train.num_shards = options_.shape.num_shards;
    const std::uint64_t part = ledger_->largest_slice() * options_.rare.slice_percent / 100;
    if (part != 0) train.frame_bytes_max = part;
    return WorkerJob{
        std::make_shared<LedgerProgram>(ledger_, findings_, options_.consistency, options_.staleness), train};
  };
  auto process =
      std::make_shared<Worker>(node.loop(), node.transport(), node.tasks(), log(node), std::move(options),
                               loader, [this, &node](bool, const std::string& why) { quit(node, why); });
  CAPSTAN_ASSERT(process->start().ok(), "a worker starts");
  return process;
}

SimNode& SimCluster::add_server() {
  servers_.push_back(&world_.add_node(in_this_life(fmt::format("ps-{}", servers_.size())), kStore));
  options_.servers = static_cast<std::uint32_t>(servers_.size());
  world_.start(*servers_.back(), [this](SimNode& self) { return start_server(self); });
  return *servers_.back();
}

bool SimCluster::drain(const SimNode& server) {
  const auto process = scheduler_process_.lock();
  return process != nullptr && process->change_servers({bare_name(server), 0, false}).error.empty();
}

// Its program ends by itself.
void SimCluster::leave(SimNode& node) {
  left_.insert(&node);
  world_.crash(node, SimWorld::Crash::kProcess);
}

void SimCluster::quit(const SimNode& node, const std::string& why) {
  if (!ended()) quits_.push_back(fmt::format("{} quits: {}", node.name(), why));
}

bool SimCluster::has(const SimNode& node) const {
  const auto is_it = [&](const SimNode* each) { return each == &node && !has_left(node); };
  const auto any_of = [&](const auto& nodes) { return std::any_of(nodes.begin(), nodes.end(), is_it); };
  return any_of(schedulers_) || any_of(servers_) || any_of(workers_);
}

bool SimCluster::ended() const {
  const auto process = scheduler_process();
  if (process == nullptr || !process->job().ended()) return false;
  return !process->job().halted();  // another one goes on
}

bool SimCluster::ok() const {
  return ended() && scheduler_process()->job().facts().state == JobState::kDone;
}

std::string SimCluster::end_text() const {
  const auto process = scheduler_process();
  if (process == nullptr) return "the scheduler is down";
  return process->job().ended() ? process->job().facts().end_text : process->job().waits_for();
}

std::string SimCluster::report() {
  const auto bytes = scheduler_->storage().read("report.json");
  return bytes.ok() ? std::string(bytes->text()) : "";
}

void SimCluster::crash(bool workers_too) {
  for (const auto& node : world_.nodes()) {
    const bool worker = std::find(workers_.begin(), workers_.end(), node.get()) != workers_.end();
    if (world_.up(*node) && (workers_too || !worker)) world_.crash(*node, SimWorld::Crash::kPower);
  }
  ++life_;
  rebuilds_ = false;
  false_start_.reset();
  store_.drop_leases();  // it is dark for longer than the lead lasts
  options_.start = StartMode::kResume;
}

void SimCluster::slow_disks(Duration most) {
  for (SimNode* server : servers_) server->tasks().slow_down(options_.shape.num_shards, most);
}

void SimCluster::crash_all_and_resume(std::uint32_t servers, std::uint32_t workers) {
  crash(true);
  options_.servers = servers;
  options_.workers = workers;
  add_nodes();
  add_workers();
}

void SimCluster::crash_all_but_workers_and_resume(std::uint32_t servers) {
  crash(false);
  options_.servers = servers;
  add_nodes();
}

std::map<Key, std::vector<float>> SimCluster::read_rows(const std::string& table) {
  const std::vector<TableSpec> tables = ledger_->tables();
  const auto spec =
      std::find_if(tables.begin(), tables.end(), [&](const TableSpec& each) { return each.name == table; });
  CAPSTAN_ASSERT(spec != tables.end(), "a table of the ledger");
  const auto index = static_cast<std::uint32_t>(spec - tables.begin());
  std::map<Key, std::vector<float>> rows;
  const auto process = scheduler_process();
  for (const SimNode* node : servers_) {
    const auto server = server_processes_[node].lock();
    if (server == nullptr) continue;
    const Node* known = process == nullptr ? nullptr : process->membership().find(bare_name(*node));
    std::vector<Key> keys = table == "dense" ? ledger_->dense_keys() : ledger_->keys();
    // One that was stopped over its successor's start would answer as well, as it does not know.
    std::erase_if(keys, [&](Key key) {
      const std::uint32_t shard = shard_of(key, options_.shape.num_shards);
      return known != nullptr && process->job().map().entries()[shard].chain.front() != known->id;
    });
    if (keys.empty()) continue;
    SimNode& reader = world_.add_node(fmt::format("reader-{}", world_.nodes().size()));
    rows.merge(capstan::read_rows(world_, reader, "sim", {server->endpoint()}, *spec, keys));
    // Nobody answers for a shard whose handover the job's end has cut short: its primary holds what counts.
    for (const HeldShard& held : server->held_shards()) {
      if (held.handed_over) add_rows(held.rows->table(index), keys, rows);
    }
  }
  return rows;
}

std::string SimCluster::check_rows() {
  const auto rows = read_rows("ledger");
  for (const Key key : ledger_->keys()) {
    const Batches expected = ledger_->touching(key);
    const auto row = rows.find(key);
    Batches found;
    std::string why;
    if (row != rows.end() && !ledger_->decode(row->second, found, why)) {
      return fmt::format("key {:016x}: {}", key, why);
    }
    for (const BatchId& id : expected) {
      if (!contains(found, id)) return fmt::format("key {:016x}: {} is lost", key, to_string(id));
    }
    if (found != expected) return fmt::format("key {:016x}: holds batches that never touched it", key);
  }
  return "";
}

}  // namespace capstan
