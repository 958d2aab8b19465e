// `capstan forget`: takes a user out of what a finished job has kept, and says where nothing is left.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/folder_lock.h"
#include "cli/lists/forget_files.h"
#include "cli/lists/forget_rows.h"
#include "cli/lists/list_commands.h"
#include "common/object_path.h"
#include "worker/data/sources.h"

namespace capstan {
namespace {

struct ForgetOptions {
  JobOption job;
  std::string user;
  bool check = false;
};

// What there is of a user in all that the job keeps.
struct Traces {
  std::vector<std::string> checkpoints;       // all folders there are, the oldest first
  std::map<std::string, std::uint64_t> rows;  // by checkpoint and table, where any
  std::vector<std::string> unreadable;        // checkpoints
  std::vector<std::string> prepared;          // folders
  ReportTraces report;
  std::uint64_t total() const {
    std::uint64_t sum = unreadable.size() + prepared.size() + report.recommendations + report.values;
    for (const auto& [where, count] : rows) sum += count;
    return sum;
  }
};

struct UserFacts {
  std::uint64_t data_fingerprint = 0, events = 0;
  KeysByTable keys;
};

// The job's data prepared in a folder of its own, so that nothing of it stays.
Result<UserFacts> facts_of(Storage& storage, JobConfig job, const std::string& user) {
  const std::string folder = work_dir_of(job) + "/forget";
  job.work_dir = folder;
  job.data.reject_file.clear();
  UserFacts facts;
  const auto look = [&]() -> Status {
    CAPSTAN_ASSIGN(const auto program, ModelProgram::create(job));
    const Dataset& data = program->data();
    const auto found = std::find(data.user_names.begin(), data.user_names.end(), user);
    if (found == data.user_names.end()) {
      return make_error(
          ErrorCode::kNotFound,
          fmt::format("user {} is not in the job's data, so which rows were the user's cannot be "
                      "told any more. Forget a user before taking the events out of the input",
                      user));
    }
    const auto index = static_cast<std::uint32_t>(found - data.user_names.begin());
    facts.data_fingerprint = program->info().data_fingerprint;
    facts.keys = keys_of_user_alone(data, program->model().tables(), index);
    for (const Examples* part : {&data.train, &data.valid, &data.test}) {
      for (std::uint64_t row = 0; row < part->size; ++row) facts.events += part->user(row) == index;
    }
    return ok_status();
  };
  const Status looked = look();
  const Status removed = storage.remove(folder);
  CAPSTAN_TRY(looked);
  CAPSTAN_TRY(removed);
  return facts;
}

Result<Traces> traces_of(Storage& storage, const JobConfig& job, const UserFacts& facts,
                         const std::string& user) {
  Traces traces;
  CAPSTAN_ASSIGN(traces.prepared, prepared_with(storage, job, user));
  CAPSTAN_ASSIGN(traces.report, forget_in_report(storage, job.report, user, false));
  if (job.checkpoint.path.empty()) return traces;
  CAPSTAN_ASSIGN(const auto names, list_checkpoints(storage, job.checkpoint.path));
  for (const CheckpointName& name : names) {
    traces.checkpoints.push_back(name.directory);
    const auto manifest = read_manifest(storage, name.directory);
    const auto counts = manifest.ok() ? count_rows(storage, name.directory, *manifest, facts.keys)
                                      : Result<std::map<std::string, std::uint64_t>>(manifest.error());
    if (!counts.ok()) {
      if (is_unreachable(counts.error())) return counts.error();
      traces.unreadable.push_back(name.directory);
      continue;
    }
    for (const auto& [table, count] : *counts)
      traces.rows[fmt::format("{}, table {}", name.directory, table)] = count;
  }
  return traces;
}

void say(const Traces& traces, const JobConfig& job, std::string_view what, std::ostream& out) {
  for (const auto& [where, count] : traces.rows)
    out << fmt::format("{}: {} row(s) in {}\n", what, count, where);
  for (const std::string& each : traces.unreadable)
    out << fmt::format("{}: {}, which cannot be read and may hold rows\n", what, each);
  for (const std::string& each : traces.prepared)
    out << fmt::format("{}: prepared data {}, with the history\n", what, each);
  if (traces.report.recommendations > 0) out << fmt::format("{}: recommendations in {}\n", what, job.report);
  if (traces.report.values > 0) out << fmt::format("{}: the user's figures beside {}\n", what, job.report);
}

// The newest whole checkpoint stays, written anew without the rows; all others go.
Status forget_rows(Storage& storage, const JobConfig& job, const UserFacts& facts, const Traces& traces,
                   std::ostream& out) {
  if (traces.rows.empty() && traces.unreadable.empty()) return ok_status();
  const std::string& path = job.checkpoint.path;
  CAPSTAN_ASSIGN(const CheckpointTables best, CheckpointTables::open(storage, path));  // as eval chooses
  if (best.manifest().data_fingerprint != facts.data_fingerprint) {
    return make_error(ErrorCode::kInvalid,
                      best.directory() +
                          " was trained on other data than the job has now: which rows were the "
                          "user's cannot be told. Nothing was removed");
  }
  CAPSTAN_ASSIGN(const auto names, list_checkpoints(storage, path));
  const std::uint64_t number = names.back().checkpoint + 1;
  CAPSTAN_TRY(rewrite_without(storage, path, {best.directory(), best.manifest(), {}}, number, facts.keys));
  // The newest first: older ones may be what they build upon.
  for (auto name = names.rbegin(); name != names.rend(); ++name)
    CAPSTAN_TRY(remove_checkpoint(storage, name->directory));
  out << fmt::format(
      "written: {}, which is {} without the user; the {} checkpoint(s) before it are removed\n",
      checkpoint_directory(path, number), best.directory(), names.size());
  return ok_status();
}

Status forget_all(Storage& storage, const JobConfig& job, const UserFacts& facts, const Traces& traces,
                  const std::string& user, std::ostream& out) {
  CAPSTAN_TRY(forget_rows(storage, job, facts, traces, out));
  for (const std::string& folder : traces.prepared) CAPSTAN_TRY(storage.remove(folder));
  CAPSTAN_TRY(forget_in_report(storage, job.report, user, true));
  return ok_status();
}

void say_limits(const JobConfig& job, const UserFacts& facts, std::ostream& out) {
  const auto files = source_files(job);
  out << fmt::format(
      "not touched: the input, with {} event(s) of the user{}. Take them out before the job is\n"
      "  trained again; what is prepared from other input no longer fits this checkpoint.\n",
      facts.events, files.ok() && !files->empty() ? ", such as " + files->front() : "");
  out << "out of reach: what the user's events have left in the rows of items and shared features, in dense\n"
         "  layers and in admission sketches. Only training again without the user removes that. Copies "
         "made\n"
         "  elsewhere (exports, backups, eval reports, logs) are not looked for.\n";
}

int run(const ForgetOptions& options, Console console) {
  const auto loaded = load_or_complain(options.job, console);
  if (!loaded) return kExitUsage;
  const JobConfig& job = loaded->config;
  AnyStorage storage;
  FileLock run_lock, checkpoints_lock;
  const bool locks = !job.checkpoint.path.empty() && !is_object_path(job.checkpoint.path);
  Status alone = lock_run(run_lock, work_dir_of(job));
  if (alone.ok() && locks) {
    alone = lock_folder(checkpoints_lock, std::string(stored_path(job.checkpoint.path)), kCheckpointsLock,
                        std::chrono::milliseconds(0), "A job runs there. Stop it first");
  }
  if (!alone.ok()) return complain(alone.error(), console);
  const auto facts = facts_of(storage, job, options.user);
  if (!facts.ok()) return complain(facts.error(), console);
  const auto before = traces_of(storage, job, *facts, options.user);
  if (!before.ok()) return complain(before.error(), console);
  say(*before, job, options.check ? "found" : "removed", console.out);
  if (!options.check && before->total() > 0) {
    const Status done = forget_all(storage, job, *facts, *before, options.user, console.out);
    if (!done.ok()) return complain(done.error(), console);
  }
  const auto after = options.check ? before : traces_of(storage, job, *facts, options.user);
  if (!after.ok()) return complain(after.error(), console);
  if (!options.check) say(*after, job, "still there", console.out);
  console.out << fmt::format(
      "user {}: {}\n", options.user,
      after->total() == 0 ? "nothing is left in checkpoints, prepared data and report" : "there are traces");
  say_limits(job, *facts, console.out);
  return after->total() == 0 ? kExitOk : kExitFailed;
}

}  // namespace

void add_forget(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<ForgetOptions>();
  CLI::App* command = app.add_subcommand("forget", "Take a user out of what a finished job has kept");
  add_job_option(*command, options->job);
  command->add_option("--user", options->user, "The user's id as in the data")->required();
  command->add_flag("--check", options->check, "Only look: exits with 1 when anything is left");
  command->footer(
      "Removes the rows of the user alone from the checkpoints (the one that eval would read is written "
      "anew,\n"
      "all others go), the prepared data, and the user's lists and figures in the report. Input is not "
      "touched.\n"
      "Example: capstan forget configs/movielens.yaml --user 42, then the same with --check");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
