#include "cli/run_job.h"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <utility>

#include "cli/beside.h"
#include "cli/command.h"
#include "cli/folder_lock.h"
#include "cli/folds.h"
#include "cli/held_signals.h"
#include "cli/job_watch.h"
#include "cli/local_cluster.h"
#include "cli/page_ports.h"
#include "common/adapters/disk_files.h"
#include "common/config/load_job.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> resume_args(const RunArgs& args) {
  if (!args.resume_from.empty()) return {"--resume-from", args.resume_from};
  return args.resume ? std::vector<std::string>{"--resume"} : std::vector<std::string>{};
}

// Starts the job's cluster and watches it. 0: the job ended well.
int run_cluster(const LoadedJob& loaded, const RunArgs& args, std::vector<std::string> scheduler_args,
                bool say) {
  const JobConfig& job = loaded.config;
  FileLock lock;
  const Status alone = lock_run(lock, job.work_dir);
  if (!alone.ok()) return complain(alone.error(), 1);
  if (const Status free = check_page_ports(args.http, job.cluster); !free.ok())
    return complain(free.error().wrap("--http"), 2);
  DiskFiles files;
  const std::string job_file = job.work_dir + "/job.yaml";
  const Status written = files.publish(job_file, std::as_bytes(std::span(loaded.effective_yaml)));
  if (!written.ok()) return complain(written.error(), 1);
  if (!args.quiet) {
    std::printf("job %s: 1 scheduler, %u server%s, %u worker%s; logs in %s/logs\n", job.name.c_str(),
                job.cluster.servers, job.cluster.servers == 1 ? "" : "s", job.cluster.workers,
                job.cluster.workers == 1 ? "" : "s", job.work_dir.c_str());
    std::fflush(stdout);
  }
  const KeyArgs keys = with_job(args.keys, job.cluster);
  auto security = own_security(keys);
  if (!security.ok()) return complain(security.error(), 1);
  HeldSignals held;
  LocalCluster cluster(job, job_file, std::move(scheduler_args), {args.http, keys});
  const auto endpoint = cluster.start();
  if (!endpoint.ok()) {
    cluster.stop(500ms);
    return complain(endpoint.error(), 1);
  }
  if (!args.quiet) {
    std::printf("scheduler at %s (also in %s/scheduler.endpoint): capstan status --scheduler %s --job %s\n",
                endpoint->c_str(), job.work_dir.c_str(), endpoint->c_str(), job.name.c_str());
    std::fflush(stdout);
  }
  return watch_job(job, cluster, *endpoint, held, {args.quiet, say, std::move(security).value()});
}

// The job as given; with splits beside it, or folds, it has a report in any case, where their figures meet.
Result<LoadedJob> load(const RunArgs& args) {
  CAPSTAN_ASSIGN(LoadedJob loaded, load_job_file(args.job.path, args.job.overrides));
  const JobConfig& job = loaded.config;
  const bool joins = !job.evaluate.beside.empty() || args.folds > 0;
  if (!joins || !job.report.empty()) return loaded;
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

Status show_folds(const JobConfig& job, std::uint32_t folds) {
  DiskFiles files;
  CAPSTAN_TRY(write_folds(files, job, folds));
  CAPSTAN_ASSIGN(const Buffer report, files.read(job.report));
  CAPSTAN_ASSIGN(const std::string text, folds_text(report.text()));
  std::printf("%s", text.c_str());
  return ok_status();
}

// All folds are loaded before the first is run, so that a mistake is told at once.
int run_folds(const JobConfig& job, const RunArgs& args) {
  if (const Status fits = check_folds(job); !fits.ok()) return complain(fits.error().wrap(args.job.path), 2);
  std::vector<LoadedJob> folds;
  for (std::uint32_t fold = 0; fold < args.folds; ++fold) {
    auto overrides = args.job.overrides;
    for (auto& each : fold_overrides(job, fold, args.folds)) overrides.push_back(std::move(each));
    auto loaded = load_job_file(args.job.path, overrides);
    if (!loaded.ok()) return complain(loaded.error(), 2);
    folds.push_back(std::move(loaded).value());
  }
  for (std::uint32_t fold = 0; fold < args.folds; ++fold) {
    std::printf("%sfold %u of %u\n", fold == 0 ? "" : "\n", fold + 1, args.folds);
    if (const int code = run_cluster(folds[fold], args, {}, !args.quiet); code != 0) return code;
  }
  const Status shown = show_folds(job, args.folds);
  return shown.ok() ? 0 : complain(shown.error(), 1);
}

}  // namespace

int run_job(const RunArgs& args) {
  const auto loaded = load(args);
  if (!loaded.ok()) return complain(loaded.error(), 2);
  const JobConfig& job = loaded->config;
  if (args.folds > 0) return run_folds(job, args);
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
