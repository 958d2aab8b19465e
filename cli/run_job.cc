#include "cli/run_job.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <random>
#include <utility>

#include "cli/beside.h"
#include "cli/folder_lock.h"
#include "cli/held_signals.h"
#include "cli/journal_reader.h"
#include "cli/local_cluster.h"
#include "cli/progress_view.h"
#include "cli/tool_link.h"
#include "common/adapters/any_storage.h"
#include "common/adapters/asio_loop.h"
#include "common/adapters/disk_files.h"
#include "common/adapters/zmq_transport.h"
#include "common/config/load_job.h"
#include "scheduler/manifest.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kLookEvery = 250ms;
constexpr auto kGoodbye = 3000ms, kGoodbyeOnFailure = 1000ms;  // for children to end by themselves
constexpr auto kForceAfter = 1000ms;                           // once they were asked to
// From Ctrl-C: until the scheduler must have said how the job ended, until children are asked to end, and
// until they are ended by force. Five seconds are promised.
constexpr auto kStopLimit = 4000ms, kStopAsk = 4300ms, kStopForce = 4600ms;
constexpr auto kLockPatience = 1s;           // for a run that was killed just now
constexpr Duration kLastWord = 1s;           // for the scheduler to say how the job ended
constexpr std::uint32_t kReplacedMost = 10;  // children that were killed
constexpr std::size_t kTailLines = 15;

// Watches over the children and the job's status until the job has ended.
class JobRun {
 public:
  JobRun(const JobConfig& job, LocalCluster& cluster, SecurityOptions security, bool quiet, bool say)
      : job_(job),
        cluster_(cluster),
        say_(say),
        view_(stdout, isatty(STDOUT_FILENO) != 0, quiet),
        transport_(loop_, ZmqOptions{.node = "run",
                                     .max_frame_bytes = job.cluster.max_frame_bytes,
                                     .max_frames = 4096,
                                     .security = std::move(security)}),
        link_(
            loop_, transport_, job.name, std::random_device{}() + 1ULL,
            {.on_greeted = [] {},
             .on_refused = [this](const std::string& why) { end(false, "the scheduler refused us: " + why); },
             .on_job_ended = [this](bool ok, const std::string& text) { end(ok, text); }}),
        look_timer_(loop_),
        stop_timer_(loop_) {}

  // From here on a Ctrl-C is the loop's.
  int watch(const std::string& endpoint, HeldSignals& held) {
    if (const Status started = link_.start(endpoint); !started.ok()) {
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      return 1;
    }
    loop_.on_signal([this](int signal) { on_signal(signal); });
    held.release();
    look();
    loop_.run();
    view_.finish();
    wait_for_children();
    while (text_.ends_with('\n')) text_.pop_back();
    if (!text_.empty() && (say_ || !ok_)) std::fprintf(ok_ ? stdout : stderr, "%s\n", text_.c_str());
    if (!ok_) std::fprintf(stderr, "logs: %s\n", cluster_.log_dir().c_str());
    return ok_ ? 0 : 1;
  }

 private:
  // After a signal one that hangs does not hold up the end.
  void wait_for_children() {
    auto patience = ok_ ? kGoodbye : kGoodbyeOnFailure, force_after = kForceAfter;
    if (stopping_at_.has_value()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*stopping_at_ + kStopAsk - loop_.now());
      patience = std::clamp(left, 0ms, patience);
      force_after = kStopForce - kStopAsk;
    }
    cluster_.wait(patience, force_after);
  }

  void look() {
    look_timer_.start(kLookEvery, [this] { look(); });
    for (ChildProcess* child : cluster_.newly_ended()) on_child_ended(*child);
    if (!link_.greeted()) return;
    link_.status([this](const Result<std::string>& status) {
      if (!status.ok()) return;
      view_.show(*status);
      add_servers(*status);
    });
  }

  // As many as `capstan scale` has asked the scheduler for.
  void add_servers(const std::string& status) {
    const auto wanted =
        boost::json::parse(status).as_object().at("servers_wanted").to_number<std::uint32_t>();
    while (!ended_ && cluster_.servers_added() < wanted) {
      const Status started = cluster_.start_server();
      if (started.ok()) continue;
      view_.finish();
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      return;
    }
  }

  // Whoever was killed is replaced. Of those that end by themselves a worker's work goes to the others;
  // without a server that holds what nobody else does this job cannot go on here.
  void on_child_ended(ChildProcess& child) {
    if (ended_) return;
    const std::string how = fmt::format("{} ended: {}", child.name(), *child.ended());
    const bool worker = child.name().starts_with("worker");
    const bool server = child.name().starts_with("ps-");
    if (server && child.ended_well()) return;  // drained, or the job has ended
    view_.finish();
    if (replace(child, how)) return;
    if (worker && ++workers_lost_ < job_.cluster.workers) {
      std::fprintf(stderr, "%s; its work goes on with the other workers\n%s", how.c_str(),
                   child.log_tail(kTailLines).c_str());
      return;
    }
    if (server && job_.cluster.replicas > 1) {
      std::fprintf(stderr, "%s; its shards go on at their backups, if they have one left\n%s", how.c_str(),
                   child.log_tail(kTailLines).c_str());
      return;
    }
    // The scheduler says why all end and how to go on from there: give it the word if it has one.
    lost_ = fmt::format("{}\n{}", how, child.log_tail(kTailLines));
    if (server) link_.stop_job(how, false);
    stop_timer_.start(kLastWord, [this] { end(false, how_to_go_on()); });
  }

  // One that ended by itself had its reasons, and would end again.
  bool replace(const ChildProcess& child, const std::string& how) {
    if (!child.killed() || stopping_at_.has_value() || replaced_ == kReplacedMost) return false;
    if (const Status started = cluster_.replace(child); !started.ok()) return false;
    ++replaced_;
    std::fprintf(stderr, "%s; another one %s\n", how.c_str(),
                 child.name() == "scheduler" ? "goes on from its journal" : "takes its place");
    return true;
  }

  // For want of the scheduler's word.
  std::string how_to_go_on() const {
    AnyStorage files(s3_settings_from_environment(), kBriefS3Limits);
    const auto journal = read_journal(job_, files);
    if (job_.checkpoint.path.empty() || !journal.ok()) return "There is no checkpoint to resume from";
    const auto found =
        newest_checkpoint(files, job_.checkpoint.path, {.generation_min = newest_run(*journal)});
    return found.ok() ? "Run again with --resume to go on from " + found->directory
                      : "There is no checkpoint of this run to resume from";
  }

  void on_signal(int signal) {
    if (stopping_at_.has_value() && signal == SIGHUP)
      return;  // a terminal that closes may say so several times
    view_.finish();
    if (stopping_at_.has_value()) {
      end(false, "stopped at once");
      return;
    }
    stopping_at_ = loop_.now();
    std::fprintf(stderr, "stopping: a checkpoint first; Ctrl-C again stops at once\n");
    link_.stop_job(signal == SIGHUP ? "its terminal closed" : "stopped by Ctrl-C", true);
    stop_timer_.start(kStopLimit,
                      [this] { end(false, "stopped; the cluster did not end in time and was killed"); });
  }

  void end(bool ok, const std::string& text) {
    if (ended_) return;
    ended_ = true;
    ok_ = ok && lost_.empty();
    text_ = lost_.empty() || ok ? text : lost_ + text;
    loop_.stop();
  }

  const JobConfig& job_;
  LocalCluster& cluster_;
  bool say_;  // the result, when all went well
  ProgressView view_;
  AsioLoop loop_;
  ZmqTransport transport_;
  ToolLink link_;
  Timer look_timer_;
  Timer stop_timer_;
  std::uint32_t workers_lost_ = 0, replaced_ = 0;
  std::optional<Instant> stopping_at_;  // since a signal asked for it
  bool ended_ = false;
  bool ok_ = false;
  std::string text_;
  std::string lost_;
};

}  // namespace

namespace {

std::vector<std::string> resume_args(const RunArgs& args) {
  if (!args.resume_from.empty()) return {"--resume-from", args.resume_from};
  return args.resume ? std::vector<std::string>{"--resume"} : std::vector<std::string>{};
}

Result<SecurityOptions> own_security(const KeyArgs& keys) {
  if (!keys.folder.empty()) CAPSTAN_TRY(make_missing_keys(keys.folder));
  return tool_security(keys);
}

// Starts the job's cluster and watches it. 0: the job ended well.
int run_cluster(const LoadedJob& loaded, const RunArgs& args, std::vector<std::string> scheduler_args,
                bool say) {
  const JobConfig& job = loaded.config;
  FileLock lock;
  const Status alone =
      lock_folder(lock, job.work_dir, "run.lock", kLockPatience,
                  "Wait for that run or stop it, or give this one a folder of its own: --set "
                  "work_dir=DIR");
  if (!alone.ok()) {
    std::fprintf(stderr, "%s\n", alone.error().message.c_str());
    return 1;
  }
  DiskFiles files;
  const std::string job_file = job.work_dir + "/job.yaml";
  const Status written = files.publish(job_file, std::as_bytes(std::span(loaded.effective_yaml)));
  if (!written.ok()) {
    std::fprintf(stderr, "%s\n", written.error().message.c_str());
    return 1;
  }
  if (!args.quiet) {
    std::printf("job %s: 1 scheduler, %u server%s, %u worker%s; logs in %s/logs\n", job.name.c_str(),
                job.cluster.servers, job.cluster.servers == 1 ? "" : "s", job.cluster.workers,
                job.cluster.workers == 1 ? "" : "s", job.work_dir.c_str());
    std::fflush(stdout);
  }
  const KeyArgs keys = with_job(args.keys, job.cluster);
  auto security = own_security(keys);
  if (!security.ok()) {
    std::fprintf(stderr, "%s\n", security.error().message.c_str());
    return 1;
  }
  HeldSignals held;
  LocalCluster cluster(job, job_file, std::move(scheduler_args), {args.http, keys});
  const auto endpoint = cluster.start();
  if (!endpoint.ok()) {
    cluster.stop(500ms);
    std::fprintf(stderr, "%s\n", endpoint.error().message.c_str());
    return 1;
  }
  if (!args.quiet) {
    std::printf("scheduler at %s (also in %s/scheduler.endpoint): capstan status --scheduler %s --job %s\n",
                endpoint->c_str(), job.work_dir.c_str(), endpoint->c_str(), job.name.c_str());
    std::fflush(stdout);
  }
  return JobRun(job, cluster, std::move(security).value(), args.quiet, say).watch(*endpoint, held);
}

// The job as given; with splits beside it has a report in any case, where their figures meet.
Result<LoadedJob> load(const RunArgs& args) {
  CAPSTAN_ASSIGN(LoadedJob loaded, load_job_file(args.job.path, args.job.overrides));
  const JobConfig& job = loaded.config;
  if (job.evaluate.beside.empty() || !job.report.empty()) return loaded;
  auto overrides = args.job.overrides;
  overrides.push_back("report=" + job.work_dir + "/report.json");
  return load_job_file(args.job.path, overrides);
}

Status run_beside(const JobConfig& job, const LoadedJob& other, const std::string& split,
                  const RunArgs& args) {
  std::printf("\nbeside: the same job, split by %s\n", split.c_str());
  if (run_cluster(other, args, {}, false) != 0) {
    return make_error(
        ErrorCode::kUnavailable,
        fmt::format("no figures for split {}. The job itself has ended well, its figures are in {}; "
                    "with --resume it is judged again from its last checkpoint, and the splits "
                    "beside it are trained from their beginning",
                    split, job.report));
  }
  DiskFiles files;
  return add_beside(files, job, split);
}

Status show_beside(const JobConfig& job) {
  DiskFiles files;
  CAPSTAN_ASSIGN(const Buffer report, files.read(job.report));
  CAPSTAN_ASSIGN(const std::string text, beside_text(report.text(), job));
  std::printf("%s", text.c_str());
  return ok_status();
}

}  // namespace

int run_job(const RunArgs& args) {
  const auto complain = [](const Error& error, int code) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return code;
  };
  const auto loaded = load(args);
  if (!loaded.ok()) return complain(loaded.error(), 2);
  const JobConfig& job = loaded->config;
  std::vector<LoadedJob> others;
  for (const auto& split : job.evaluate.beside) {
    auto overrides = args.job.overrides;
    for (auto& each : beside_overrides(job, split)) overrides.push_back(std::move(each));
    auto other = load_job_file(args.job.path, overrides);
    if (!other.ok()) return complain(other.error(), 2);
    others.push_back(std::move(other).value());
  }
  if (const int code = run_cluster(*loaded, args, resume_args(args), true); code != 0) return code;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const Status done = run_beside(job, others[i], job.evaluate.beside[i], args);
    if (!done.ok()) return complain(done.error(), 1);
  }
  const Status shown = others.empty() ? ok_status() : show_beside(job);
  return shown.ok() ? 0 : complain(shown.error(), 1);
}

}  // namespace capstan
