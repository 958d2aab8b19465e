#include "cli/tune/trial.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

#include "common/adapters/disk_files.h"
#include "common/config/schema.h"
#include "common/config/yaml_emit.h"
#include "common/hash.h"
#include "common/text.h"
#include "scheduler/json.h"

namespace capstan {
namespace {

std::string quoted(const std::string& text) {
  return emit_inline(YamlNode::of(text));
}

// After every pass, or as seldom as the job wants it and its rungs allow.
std::uint32_t validate_every(const TunedJob& job) {
  const std::uint32_t every = std::max(1U, job.config().evaluate.every_passes);
  const bool fits =
      std::all_of(job.rungs.begin(), job.rungs.end(), [&](std::uint32_t rung) { return rung % every == 0; });
  return fits ? every : 1;
}

bool has_checkpoint(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/checkpoints", error)) {
    if (std::filesystem::exists(entry.path() / "MANIFEST.json", error)) return true;
  }
  return false;
}

Status share_data(const TunedJob& job, const std::string& folder) {
  DiskFiles files;
  const std::string shared = job.config().work_dir + "/data";
  CAPSTAN_TRY(files.create_dirs(shared));
  CAPSTAN_TRY(files.create_dirs(folder));
  std::error_code error;
  const std::string link = folder + "/data";
  if (std::filesystem::exists(link, error)) return ok_status();
  std::filesystem::create_directory_symlink(std::filesystem::absolute(shared), link, error);
  if (!error) return ok_status();
  return make_error(ErrorCode::kIo, fmt::format("link {}: {}", link, error.message()));
}

// The last line of a log that says something.
std::string last_words(const ChildProcess& ended) {
  constexpr std::size_t kLines = 12;
  std::string words;
  for (const auto line : split_text(ended.log_tail(kLines), "\n")) {
    const auto said = line.substr(std::min<std::size_t>(line.size(), 4));  // behind the tail's "  | "
    if (!said.empty() && !said.starts_with("logs: ") && !said.starts_with("  | ")) words = said;
  }
  return words.empty() ? "no word in its log" : words;
}

Status read_validations(const json::object& report, std::uint32_t passes, TrialOutcome& outcome) {
  const json::value* all = report.if_contains("validations");
  if (all == nullptr || !all->is_array()) return make_error(ErrorCode::kCorrupt, "no validations");
  outcome.better = -std::numeric_limits<double>::infinity();
  for (const json::value& value : all->get_array()) {
    if (!value.is_object()) continue;
    JsonReader in(value.get_object());
    std::uint32_t pass = 0;
    double better = 0.0;
    const json::object* result = nullptr;
    in.unsigned_of("pass", pass);
    in.real_of("better", better);
    in.object_of("result", result);
    CAPSTAN_TRY(in.status());
    if (pass > passes || !(better > outcome.better)) continue;
    std::string watched;
    JsonReader figures(*result);
    figures.text_of("watched", watched);
    figures.real_of(watched, outcome.value);
    CAPSTAN_TRY(figures.status());
    outcome.better = better;
    outcome.best_pass = pass;
  }
  return outcome.best_pass > 0 ? ok_status() : make_error(ErrorCode::kCorrupt, "no validations");
}

}  // namespace

std::string TunedJob::folder_of(std::uint32_t trial) const {
  return fmt::format("{}/trial-{:03}", folder, trial + 1);
}

std::string TunedJob::metric() const {
  if (!config().tune.metric.empty()) return config().tune.metric;
  if (!config().train.early_stop_metric.empty()) return config().train.early_stop_metric;
  const Task task = config().task;
  const std::string usual = task == Task::kRanking ? "ndcg" : task == Task::kRating ? "rmse" : "auc";
  const auto& computed = config().evaluate.metrics;
  return std::find(computed.begin(), computed.end(), usual) == computed.end() ? "" : usual;
}

std::string TunedJob::key() const {
  JobConfig settings = config();
  settings.tune.trials = 0;
  settings.tune.parallel = 1;
  settings.report.clear();
  settings.checkpoint = {};
  std::string text = emit_yaml(write_section(*job_schema(), &settings));
  for (const std::uint32_t rung : rungs) text += fmt::format(" {}", rung);
  return fmt::format("{} {:016x}", config().name, hash_string(text));
}

Result<TunedJob> load_tuned_job(const JobOption& option, const std::string& folder) {
  TunedJob job;
  job.option = option;
  CAPSTAN_ASSIGN(job.loaded, load_job_file(option.path, option.overrides));
  const TuneConfig& tune = job.config().tune;
  if (tune.space.empty()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{}: there is nothing to search: the job has no tune.space, such as\n"
                                  "tune:\n  space:\n    model.embedding_dim: [16, 32, 64]",
                                  option.path));
  }
  job.folder = folder.empty() ? job.config().work_dir + "/tune" : folder;
  job.trials = draw_trials(tune);
  job.rungs = rungs_of(job.config().train.passes, tune.min_passes, tune.eta, job.trials.size());
  return job;
}

std::vector<std::string> trial_overrides(const TunedJob& job, const Asha::Task& task) {
  const JobConfig& config = job.config();
  const std::string folder = job.folder_of(task.trial);
  std::vector<std::string> overrides = job.option.overrides;
  for (auto& each : overrides_of(job.trials[task.trial])) overrides.push_back(std::move(each));
  const std::vector<std::string> own = {
      fmt::format("job={}.trial-{}", config.name, task.trial + 1),
      "work_dir=" + quoted(folder),
      "report=" + quoted(folder + "/report.json"),
      fmt::format("checkpoint={{path: {}, keep: 1}}", quoted(folder + "/checkpoints")),
      fmt::format("train.passes={}", job.rungs[task.rung]),
      "train.include_valid=false",
      "train.early_stop_patience=0",
      fmt::format("evaluate.every_passes={}", validate_every(job)),
      "evaluate.test=false",
      "evaluate.baselines=[]",
      "evaluate.beside=[]",
      "evaluate.recommend_users=0",
      "tune={}"};
  overrides.insert(overrides.end(), own.begin(), own.end());
  const std::string metric = job.metric();
  if (!metric.empty()) overrides.push_back("train.early_stop_metric=" + quoted(metric));
  if (config.cluster.security == Security::kCurve)
    overrides.push_back("cluster.keys=" + quoted(config.cluster.keys));
  return overrides;
}

Result<ChildProcess> start_trial(const TunedJob& job, const Asha::Task& task) {
  const std::string folder = job.folder_of(task.trial);
  CAPSTAN_TRY(share_data(job, folder));
  CAPSTAN_ASSIGN(const LoadedJob trial, load_job_file(job.option.path, trial_overrides(job, task)));
  DiskFiles files;
  const std::string file = folder + "/trial.yaml";
  CAPSTAN_TRY(files.publish(file, std::as_bytes(std::span(trial.effective_yaml))));
  std::vector<std::string> args = {"run", file, "--quiet"};
  if (has_checkpoint(folder)) args.emplace_back("--resume");
  return ChildProcess::start(fmt::format("trial-{}", task.trial + 1), args, folder + "/run.log");
}

TrialOutcome outcome_of_trial(const TunedJob& job, const Asha::Task& task, const ChildProcess& ended) {
  TrialOutcome outcome;
  outcome.trial = task.trial;
  outcome.rung = task.rung;
  outcome.passes = job.rungs[task.rung];
  outcome.settings = job.trials[task.trial];
  const auto fail = [&](const std::string& why) {
    outcome.better = outcome.value = std::numeric_limits<double>::quiet_NaN();
    outcome.failed = why;
    return outcome;
  };
  if (!ended.ended_well()) return fail(last_words(ended));
  DiskFiles files;
  const std::string path = job.folder_of(task.trial) + "/report.json";
  const auto bytes = files.read(path);
  if (!bytes.ok()) return fail(bytes.error().message);
  const auto report = parse_json_object(bytes->text());
  if (!report.ok()) return fail(fmt::format("{}: {}", path, report.error().message));
  JsonReader in(*report);
  in.real_of("wall_seconds", outcome.seconds);
  Status read = in.status();
  if (read.ok()) read = read_validations(*report, outcome.passes, outcome);
  return read.ok() ? outcome : fail(fmt::format("{}: {}", path, read.error().message));
}

}  // namespace capstan
