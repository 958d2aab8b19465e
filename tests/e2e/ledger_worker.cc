#include "tests/e2e/ledger_worker.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include "common/adapters/asio_loop.h"
#include "common/adapters/tbb_task_pool.h"
#include "common/adapters/zmq_transport.h"
#include "common/config/load_job.h"
#include "sim/ledger_program.h"
#include "worker/worker.h"

namespace capstan {
namespace {

constexpr int kPaceMs = 4;  // when no file says otherwise

// The ledger's program, with its progress and the rows of its evaluation written down for the test.
class WitnessedProgram final : public StepProgram {
 public:
  WitnessedProgram(std::shared_ptr<const Ledger> ledger, Consistency consistency, std::uint32_t staleness,
                   std::string folder)
      : program_(std::move(ledger), findings_, consistency, staleness),
        folder_(std::move(folder)),
        computed_(folder_ + "/computed", std::ios::app) {}

  const ProgramInfo& info() const override { return program_.info(); }
  const std::vector<TableSpec>& tables() const override { return program_.tables(); }
  std::uint64_t num_batches(const WorkItem& item) const override { return program_.num_batches(item); }
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override {
    return program_.build(item, batch, step);
  }

  Status compute(const WorkItem& item, Step& step) override {
    CAPSTAN_TRY(program_.compute(item, step));
    if (item.kind == WorkKind::kTrain) {
      computed_ << '.' << std::flush;
      int pace_ms = kPaceMs;
      for (const char* place : {"/../", "/"}) std::ifstream(folder_ + place + kPaceFile) >> pace_ms;
      std::this_thread::sleep_for(std::chrono::milliseconds(pace_ms));
    } else {
      write_rows(item, step);
    }
    return findings();
  }

  Result<Buffer> finish(const WorkItem& item) override {
    CAPSTAN_TRY(findings());
    return program_.finish(item);
  }

 private:
  // What the program itself finds wrong fails the job.
  Status findings() const {
    if (findings_->wrong.empty()) return ok_status();
    return make_error(ErrorCode::kCorrupt, findings_->wrong.front());
  }

  void write_rows(const WorkItem& item, const Step& step) const {
    const std::string path = fmt::format("{}/rows-{}", folder_, item.partition);
    std::ofstream out(path, std::ios::binary);
    for (const StepTable& table : step.tables) {
      const TableSpec& spec = tables()[table.table];
      if (spec.name != "ledger") continue;
      for (std::size_t i = 0; i < table.keys.size(); ++i) {
        out.write(reinterpret_cast<const char*>(&table.keys[i]), sizeof(Key));
        out.write(reinterpret_cast<const char*>(table.rows.data() + i * spec.dim),
                  static_cast<std::streamsize>(spec.dim * sizeof(float)));
      }
    }
  }

  std::shared_ptr<Findings> findings_ = std::make_shared<Findings>();
  LedgerProgram program_;
  std::string folder_;
  std::ofstream computed_;
};

Result<WorkerJob> load(const std::string& job_text, const std::string& folder) {
  CAPSTAN_ASSIGN(const LoadedJob loaded, load_job_text(job_text, "the scheduler's job"));
  const TrainConfig& train = loaded.config.train;
  WorkerJob job;
  job.options.consistency = train.consistency;
  job.options.staleness = train.staleness;
  job.options.pipeline_depth = train.pipeline_depth;
  job.options.push_window = train.push_window;
  job.options.num_shards = loaded.config.cluster.num_shards;
  auto ledger = std::make_shared<const Ledger>(ledger_shape(loaded.config.seed));
  job.program = std::make_shared<WitnessedProgram>(ledger, train.consistency, train.staleness, folder);
  return job;
}

}  // namespace

LedgerShape ledger_shape(std::uint64_t seed) {
  LedgerShape shape;
  shape.seed = seed;
  shape.passes = 2;
  shape.partitions = 8;
  shape.batches = seed == kLongSeed ? 300 : 40;
  shape.num_shards = 64;
  if (seed >= kChaosSeed) {
    constexpr std::uint64_t kBatchesPerFault = 125;  // of one partition in one pass
    shape.sums = true;
    shape.keys = 4096;
    shape.batches = static_cast<std::uint32_t>(kBatchesPerFault * (seed - kChaosSeed));
  }
  return shape;
}

int run_ledger_worker(const LedgerWorkerArgs& args) {
  std::random_device device;
  const std::uint64_t incarnation = (std::uint64_t{device()} << 32) | device();
  const Log log = Log::to_stderr(args.name, LogLevel::kInfo);
  AsioLoop loop;
  ZmqOptions zmq;
  zmq.node = args.name;
  zmq.incarnation = incarnation;
  zmq.max_frames = 4096;
  if (const char* keys = std::getenv("CAPSTAN_KEYS"); keys != nullptr) {
    auto ring = KeyRing::open(keys, Role::kWorker, args.name);
    if (!ring.ok()) return log.error("{}", ring.error().message), 1;
    zmq.security.keys = std::make_shared<KeyRing>(std::move(ring).value());
  }
  ZmqTransport transport(loop, zmq);
  auto tasks = std::make_unique<TbbTaskPool>(loop, 2, 2);
  WorkerOptions options;
  options.name = args.name;
  options.job_id = args.job;
  options.host = "localhost";
  options.scheduler = args.scheduler;
  options.incarnation = incarnation;
  int exit_code = 1;
  const JobLoader loader = [folder = args.folder](const std::string& text) { return load(text, folder); };
  Worker worker(loop, transport, *tasks, log, options, loader, [&](bool ok, const std::string& text) {
    log.info("job ended: {}", text);
    exit_code = ok ? 0 : 1;
    loop.stop();
  });
  if (!worker.start().ok()) return 1;
  loop.run();
  tasks.reset();
  return exit_code;
}

}  // namespace capstan
