#include "cli/role_process.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "cli/etcd_lead.h"
#include "cli/folder_lock.h"
#include "cli/host_memory.h"
#include "cli/job_option.h"
#include "cli/node_identity.h"
#include "cli/node_page.h"
#include "cli/version.h"
#include "common/adapters/any_storage.h"
#include "common/adapters/asio_loop.h"
#include "common/adapters/tbb_task_pool.h"
#include "common/adapters/this_process.h"
#include "common/adapters/zmq_transport.h"
#include "common/config/load_job.h"
#include "common/endpoint_check.h"
#include "common/object_path.h"
#include "ps/server.h"
#include "scheduler/scheduler.h"
#include "worker/program/model_program.h"
#include "worker/worker.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

// Two processes that nobody has named do not meet under one name.
RoleArgs named(RoleArgs role, std::string_view stem) {
  if (role.name.empty()) role.name = name_from_environment(stem);
  if (role.name.empty()) role.name = fmt::format("{}-{}-{}", stem, host_name(), getpid());
  return role;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::uint32_t thread_count(const RoleArgs& role) {
  return role.threads > 0 ? role.threads : std::max(1U, std::thread::hardware_concurrency());
}

// The loop, the wire and the log of one process, and how it ended.
struct Process {
  explicit Process(const RoleArgs& role, const S3Limits& limits = {})
      : incarnation(fresh_incarnation()),
        log(role.log_file.empty() ? Log::to_stderr(role.name, role.log_level)
                                  : Log::to_file(role.name, role.log_file, role.log_level)),
        files(s3_settings_from_environment(), limits, role.keys.folder) {}

  // REQUIRES: before `transport` is used. kNotFound, kInvalid: the keys cannot be used.
  Status open_wire(const RoleArgs& role, Role acts_as) {
    CAPSTAN_ASSIGN(SecurityOptions security, security_of(role.keys, acts_as, role.name, &log));
    ZmqOptions options;
    options.node = role.name;
    options.incarnation = incarnation;
    options.max_frame_bytes = role.max_frame_bytes;
    options.max_frames = 4096;
    options.linger = 500ms;
    security.refused = [this](const std::string& why) { refusal = why; };
    options.security = std::move(security);
    transport = std::make_unique<ZmqTransport>(loop, options);
    return ok_status();
  }

  int fail(const Error& error) const {
    log.error("{}", error.message);
    return 1;
  }
  void end(bool ok, const std::string& text) {
    if (ok) {
      log.info("job ended: {}", text);
    } else {
      log.error("job ended: {}", text);
    }
    exit_code = ok ? 0 : 1;
    loop.stop();
  }
  // A server's or worker's end. What came of a job that went well, the scheduler says.
  void end_of_member(bool ok, const std::string& text) { end(ok, ok ? "well" : with_refusal(text, refusal)); }
  // Here, not for the job.
  void halt(const std::string& text, int code) {
    log.error("{}", text);
    exit_code = code;
    loop.stop();
  }

  std::uint64_t incarnation;
  Log log;
  AsioLoop loop;
  AnyStorage files;
  std::string refusal;  // of whom we connect to
  std::unique_ptr<ZmqTransport> transport;
  int exit_code = 1;
};

// What servers and workers are told alike.
template <typename Options>
Options member_options(const RoleArgs& role, const Process& process) {
  Options options;
  options.name = role.name;
  options.job_id = role.job_id;
  options.host = host_name();
  options.scheduler = role.scheduler;
  options.incarnation = process.incarnation;
  options.startup_timeout = std::chrono::milliseconds(role.startup_timeout_ms);
  return options;
}

// Its pages are gone before what they read.
template <typename Node>
Result<std::unique_ptr<NodePage>> page_of(const RoleArgs& role, Process& process, const Node& node) {
  if (role.http.empty()) return std::unique_ptr<NodePage>();
  NodePageContent content;
  content.ready = [&node] { return node.ready(); };
  content.add_metrics = [&node, &process](Metrics& out) {
    node.add_metrics(out);
    add_metrics(process.transport->counters().security, out);
  };
  if constexpr (std::is_same_v<Node, Scheduler>) {
    content.dashboard = true;
    content.json_pages = {{"/status", [&node] { return node.page_status(); }},
                          {"/history", [&node] { return node.page_history(); }}};
  }
  return NodePage::start(role.http, process.loop, process.log, std::move(content));
}

// Until the job ends or a signal comes.
int run_member(Process& process) {
  process.loop.on_signal([&](int) { process.end(false, "stopped by a signal"); });
  process.loop.run();
  return process.exit_code;
}

// No other scheduler writes this one's journal or checkpoints.
struct SchedulerLocks {
  FileLock journal, checkpoints;

  // In an object store nothing keeps two schedulers apart.
  Status take(const JobConfig& job) {
    // Longer than a scheduler goes on whose `capstan run` was killed: it makes a last checkpoint.
    constexpr auto kPatience = 8s;
    CAPSTAN_TRY(lock_folder(journal, job.work_dir, "journal.lock", kPatience,
                            "Wait for that scheduler or stop it, or set another work_dir"));
    const std::string folder(stored_path(job.checkpoint.path));
    if (folder.empty() || is_object_path(folder)) return ok_status();
    return lock_folder(
        checkpoints, folder, kCheckpointsLock, kPatience,
        "Another job writes its checkpoints there, or `capstan checkpoint prune` removes some: "
        "wait for it or stop it, or set another checkpoint.path");
  }
};

Result<WorkerJob> load_worker_job(const std::string& job_text) {
  CAPSTAN_ASSIGN(const LoadedJob loaded, load_job_text(job_text, "the scheduler's job"));
  WorkerJob job;
  const TrainConfig& train = loaded.config.train;
  job.options = {train.consistency,     train.staleness,
                 train.pull_copies,     train.pipeline_depth,
                 train.push_window,     loaded.config.cluster.num_shards,
                 train.max_bad_batches, loaded.config.cluster.max_frame_bytes};
  CAPSTAN_ASSIGN(job.program, ModelProgram::create(loaded.config));
  return job;
}

constexpr int kExitReplaced = 3;

// What would keep the report from being written after hours.
Status check_report_place(const std::string& report) {
  namespace fs = std::filesystem;
  std::error_code error, none;
  if (report.empty() || fs::is_character_file(report, none) || fs::is_fifo(report, none)) return ok_status();
  const fs::path folder = fs::absolute(report).parent_path();
  fs::create_directories(folder, error);
  if (!error && fs::is_directory(report, none)) error.assign(EISDIR, std::generic_category());
  if (!error && ::access(folder.c_str(), W_OK) != 0) error.assign(errno, std::generic_category());
  if (!error) return ok_status();
  return make_error(ErrorCode::kIo, fmt::format("report: {} cannot be written: {}: {}. Let user {} write in "
                                                "that folder, or set another `report`",
                                                report, folder.string(), error.message(), ::geteuid()));
}

Status check_destinations(AnyStorage& files, const JobConfig& job) {
  CAPSTAN_TRY(check_report_place(job.report));
  if (job.checkpoint.path.empty()) return ok_status();
  return files.prepare_destination(job.checkpoint.path).wrap("checkpoint.path cannot be used");
}

int lead_job(Process& process, const SchedulerOptions& options, const RoleArgs& role,
             const SchedulerArgs& args) {
  // Said before anything is computed. A job that runs does not need it.
  if (options.start != StartMode::kRecover) {
    const Status usable = check_destinations(process.files, options.config);
    if (!usable.ok()) return process.fail(usable.error());
  }
  Scheduler scheduler(process.loop, *process.transport, process.files, process.log, options);
  const auto on_end = [&](bool ok, const std::string& text) {
    const Job& job = scheduler.job();
    job.halted() ? process.halt(text, job.replaced() ? kExitReplaced : 1) : process.end(ok, text);
  };
  const auto endpoint = scheduler.start(on_end);
  if (!endpoint.ok()) return process.fail(endpoint.error());
  process.log.info("scheduler of job {} at {}", options.config.name, *endpoint);
  const auto page = page_of(role, process, scheduler);
  if (!page.ok()) return process.fail(page.error());
  if (!args.endpoint_file.empty()) {
    const Status written = process.files.publish(args.endpoint_file, std::as_bytes(std::span(*endpoint)));
    if (!written.ok()) return process.fail(written.error());
  }
  process.loop.on_signal([&](int) { scheduler.stop("stopped by a signal", true); });
  process.loop.run();
  return process.exit_code;
}

// Waits for the lead. Whoever had to wait goes on with the job as the other left it, whatever its own start
// was to be. No folder is locked: the lead decides, and a stopped process would keep its locks.
int lead_in_turn(Process& process, SchedulerOptions options, const RoleArgs& role,
                 const SchedulerArgs& args) {
  const std::string at = options.bind.empty() ? options.config.cluster.scheduler : options.bind;
  EtcdLead lead(options.config, fmt::format("{} ({}, process {}, {})", role.name, host_name(), getpid(), at),
                process.loop, process.log);
  if (!lead.wait()) {
    process.log.info("stopped by a signal while it waited for the lead");
    return 0;
  }
  options.journal = &lead.journal();
  if (lead.waited()) {
    const auto records = lead.journal().read(JournalLines::kKnown);
    if (!records.ok()) return process.fail(records.error());
    if (const StateReached* end = ended_state(*records); end != nullptr) {
      process.end(end->state == "done", end->text);
      lead.resign();
      return process.exit_code;
    }
    options.start = StartMode::kRecover;
  }
  const int exit_code = lead_job(process, options, role, args);
  if (exit_code != kExitReplaced) lead.resign();
  return exit_code;
}

}  // namespace

int run_scheduler(const RoleArgs& role, const SchedulerArgs& args) {
  const auto loaded = load_job_file(args.job.path, args.job.overrides);
  RoleArgs as_job_says = role;
  if (loaded.ok()) as_job_says.max_frame_bytes = loaded->config.cluster.max_frame_bytes;
  Process process(as_job_says, kBriefS3Limits);
  if (!loaded.ok()) {
    process.log.error("{}", loaded.error().message);
    return 2;
  }
  as_job_says.keys = with_job(role.keys, loaded->config.cluster);
  const Status opened = process.open_wire(as_job_says, Role::kScheduler);
  if (!opened.ok()) return process.fail(opened.error());
  SchedulerOptions options;
  options.config = loaded->config;
  options.job_text = loaded->effective_yaml;
  options.bind = role.bind;
  options.start = args.resume || !args.resume_from.empty() ? StartMode::kResume
                  : args.recover                           ? StartMode::kRecover
                  : args.rebuild                           ? StartMode::kRebuild
                                                           : StartMode::kNew;
  options.resume_from = args.resume_from;
  options.without = args.without;
  options.version = kVersion;
  options.wall_time = utc_now;
  if (options.config.scheduler.store == SchedulerStore::kEtcd) {
    return lead_in_turn(process, std::move(options), role, args);
  }
  SchedulerLocks locks;
  if (const Status alone = locks.take(options.config); !alone.ok()) return process.fail(alone.error());
  return lead_job(process, options, role, args);
}

int run_server(const RoleArgs& args, const ServerArgs& settings) {
  const RoleArgs role = named(args, "ps");
  Process process(role, kPatientS3Limits);
  if (const Status opened = process.open_wire(role, Role::kServer); !opened.ok())
    return process.fail(opened.error());
  const std::uint32_t threads = thread_count(role);
  auto compute = std::make_unique<TbbTaskPool>(process.loop, threads, threads);
  constexpr std::uint32_t kDisk = 2;  // reads at a time; a disk gives more of them than of one
  auto disk = std::make_unique<TbbTaskPool>(process.loop, kDisk, kDisk);
  auto options = member_options<ServerOptions>(role, process);
  options.bind = role.bind;
  options.advertise =
      settings.advertise.empty() ? advertised_for(role.bind, host_name()) : settings.advertise;
  options.zone = settings.zone;
  options.memory_limit = settings.memory_limit.value_or(usual_memory_limit());
  options.frame_bytes_max = role.max_frame_bytes;
  options.chunk_bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(options.chunk_bytes, role.max_frame_bytes));
  options.unix_seconds = [] { return static_cast<std::uint32_t>(std::time(nullptr)); };
  Server server(process.loop, *process.transport, *compute, *disk, process.files, process.log, options,
                [&process](bool ok, const std::string& text) { process.end_of_member(ok, text); });
  if (const Status started = server.start(); !started.ok()) return process.fail(started.error());
  process.log.info("server at {}", server.endpoint());
  const auto page = page_of(role, process, server);
  if (!page.ok()) return process.fail(page.error());
  const int exit_code = run_member(process);
  // Tasks at work on shards end before the shards go.
  compute.reset();
  disk.reset();
  return exit_code;
}

int run_worker(const RoleArgs& args) {
  const RoleArgs role = named(args, "worker");
  Process process(role);
  if (const Status opened = process.open_wire(role, Role::kWorker); !opened.ok())
    return process.fail(opened.error());
  // One lane reads ahead while the other computes.
  auto tasks = std::make_unique<TbbTaskPool>(process.loop, std::max(2U, thread_count(role)), 2);
  Worker worker(process.loop, *process.transport, *tasks, process.log,
                member_options<WorkerOptions>(role, process), load_worker_job,
                [&process](bool ok, const std::string& text) { process.end_of_member(ok, text); });
  if (const Status started = worker.start(); !started.ok()) return process.fail(started.error());
  const auto page = page_of(role, process, worker);
  if (!page.ok()) return process.fail(page.error());
  const int exit_code = run_member(process);
  tasks.reset();
  return exit_code;
}

}  // namespace capstan
