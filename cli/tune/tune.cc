#include "cli/tune/tune.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <deque>
#include <limits>
#include <map>
#include <ostream>

#include "cli/folder_lock.h"
#include "cli/held_signals.h"
#include "cli/progress_view.h"
#include "common/adapters/disk_files.h"
#include "common/config/rewrite_job.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kPoll = 100ms;
constexpr std::size_t kFailuresAtFirst = 3;  // with nothing else: the job is wrong, and not the settings

struct Running {
  Asha::Task task;
  ChildProcess process;
};

std::string passes_text(const TunedJob& job, std::uint32_t rung) {
  return fmt::format("{} of {} passes", job.rungs[rung], job.rungs.back());
}

class Tuning {
 public:
  Tuning(const TunedJob& job, TuneJournal journal, Console console)
      : job_(job),
        journal_(std::move(journal)),
        asha_(static_cast<std::uint32_t>(job.trials.size()), static_cast<std::uint32_t>(job.rungs.size()),
              job.config().tune.eta),
        console_(console) {
    for (const TrialOutcome& outcome : journal_.outcomes())
      asha_.recall({outcome.trial, outcome.rung}, score_of(outcome));
  }

  // Until nothing is left to do, or a signal comes.
  Status run() {
    while (true) {
      CAPSTAN_TRY(start_due());
      if (running_.empty()) return hopeless();
      if (HeldSignals::take(kPoll)) return stop();
      for (auto each = running_.begin(); each != running_.end();) {
        if (each->process.running()) {
          ++each;
          continue;
        }
        CAPSTAN_TRY(take(*each));
        each = running_.erase(each);
      }
    }
  }

  const std::vector<TrialOutcome>& outcomes() const { return journal_.outcomes(); }

 private:
  static double score_of(const TrialOutcome& outcome) {
    return outcome.failed.empty() ? outcome.better : -std::numeric_limits<double>::infinity();
  }

  Status start_due() {
    while (running_.size() < job_.config().tune.parallel) {
      CAPSTAN_TRY(hopeless());
      const auto task = asha_.next();
      if (!task) return ok_status();
      say(fmt::format("trial {}, to {}: {}", task->trial + 1, passes_text(job_, task->rung),
                      settings_text(job_.trials[task->trial])));
      CAPSTAN_ASSIGN(ChildProcess process, start_trial(job_, *task));
      running_.push_back({*task, std::move(process)});
    }
    return ok_status();
  }

  Status take(const Running& ended) {
    TrialOutcome outcome = outcome_of_trial(job_, ended.task, ended.process);
    asha_.note(ended.task, score_of(outcome));
    CAPSTAN_TRY(journal_.append(outcome));
    if (!outcome.failed.empty()) {
      say(fmt::format("trial {} failed: {}", outcome.trial + 1, outcome.failed));
      return ok_status();
    }
    const TrialOutcome& best = *best_outcome(outcomes());
    say(fmt::format("trial {}: {:.5f} after {} in {}{}", outcome.trial + 1, outcome.value,
                    passes_text(job_, outcome.rung), short_duration(outcome.seconds),
                    best.trial == outcome.trial ? ", the best so far"
                                                : fmt::format("; the best so far is {:.5f} of trial {}",
                                                              best.value, best.trial + 1)));
    return ok_status();
  }

  // Several failures and nothing else: more would only say the same.
  Status hopeless() const {
    const auto failed = std::count_if(outcomes().begin(), outcomes().end(),
                                      [](const TrialOutcome& outcome) { return !outcome.failed.empty(); });
    const bool all = failed > 0 && static_cast<std::size_t>(failed) == outcomes().size();
    if (!all || outcomes().size() < std::min(kFailuresAtFirst, job_.trials.size())) return ok_status();
    return make_error(ErrorCode::kUnavailable,
                      fmt::format("every trial failed, the last one so: {}\nlogs: {}/run.log",
                                  outcomes().back().failed, job_.folder_of(outcomes().back().trial)));
  }

  // Every trial makes a checkpoint and ends; a second signal ends them at once.
  Status stop() {
    for (const Running& each : running_) each.process.signal(SIGINT);
    while (
        std::any_of(running_.begin(), running_.end(), [](Running& each) { return each.process.running(); })) {
      if (!HeldSignals::take(kPoll)) continue;
      for (const Running& each : running_) each.process.signal(SIGINT);
    }
    return make_error(ErrorCode::kCancelled, "stopped; the same command goes on from here");
  }

  void say(const std::string& line) {
    console_.out << line << "\n";
    console_.out.flush();
  }

  const TunedJob& job_;
  TuneJournal journal_;
  Asha asha_;
  Console console_;
  std::deque<Running> running_;
};

// Early stopping finds the pass by itself, where the job has it.
std::vector<std::string> best_overrides(const TunedJob& job, const TrialOutcome& best) {
  std::vector<std::string> overrides = job.option.overrides;
  for (auto& each : overrides_of(best.settings)) overrides.push_back(std::move(each));
  if (job.config().train.early_stop_patience == 0)
    overrides.push_back(fmt::format("train.passes={}", best.best_pass));
  return overrides;
}

Result<std::string> write_best(const TunedJob& job, const TrialOutcome& best) {
  CAPSTAN_ASSIGN(const std::string yaml, rewrite_job(job.option.path, best_overrides(job, best)));
  const std::string metric = job.metric();
  const std::string text =
      fmt::format("# By `capstan tune {}`: trial {} of {}, {}{:.5f} on validation after pass {}.\n{}",
                  job.option.path, best.trial + 1, job.trials.size(), metric.empty() ? "" : metric + " ",
                  best.value, best.best_pass, yaml);
  const std::string path = job.folder + "/best.yaml";
  DiskFiles files;
  CAPSTAN_TRY(files.publish(path, std::as_bytes(std::span(text))));
  return path;
}

Status search(const TunedJob& job, Console console) {
  FileLock lock;
  CAPSTAN_TRY(
      lock_folder(lock, job.folder, "tune.lock", 1s,
                  "Wait for that search or stop it, or give this one a folder of its own: --out DIR"));
  DiskFiles files;
  const std::string path = job.folder + "/trials.jsonl";
  CAPSTAN_ASSIGN(TuneJournal journal, TuneJournal::open(files, path, job.key()));
  console.out << fmt::format("tune {}: {} trials, compared after {} passes; validation alone is read; {}{}\n",
                             job.config().name, job.trials.size(), fmt::join(job.rungs, ", "), path,
                             journal.outcomes().empty()
                                 ? ""
                                 : fmt::format(", which has {} outcomes already", journal.outcomes().size()));
  console.out.flush();
  HeldSignals held;
  Tuning tuning(job, std::move(journal), console);
  CAPSTAN_TRY(tuning.run());
  const TrialOutcome* best = best_outcome(tuning.outcomes());
  if (best == nullptr) return make_error(ErrorCode::kUnavailable, "no trial has any figures");
  CAPSTAN_ASSIGN(const std::string best_file, write_best(job, *best));
  console.out << trials_table(tuning.outcomes(), job.metric());
  console.out << fmt::format("\nthe best settings are in {}: capstan run {}\n", best_file, best_file);
  console.out << "  These figures chose among trials: what the model is worth, only its test part says.\n";
  return ok_status();
}

}  // namespace

const TrialOutcome* best_outcome(const std::vector<TrialOutcome>& outcomes) {
  const TrialOutcome* best = nullptr;
  for (const TrialOutcome& outcome : outcomes) {
    if (outcome.failed.empty() && (best == nullptr || outcome.better > best->better)) best = &outcome;
  }
  return best;
}

std::string trials_table(const std::vector<TrialOutcome>& outcomes, const std::string& metric) {
  std::map<std::uint32_t, const TrialOutcome*> furthest;
  for (const TrialOutcome& outcome : outcomes) {
    const TrialOutcome*& known = furthest[outcome.trial];
    if (known == nullptr || outcome.rung >= known->rung) known = &outcome;
  }
  std::vector<const TrialOutcome*> rows;
  rows.reserve(furthest.size());
  for (const auto& [trial, outcome] : furthest) rows.push_back(outcome);
  std::stable_sort(rows.begin(), rows.end(), [](const TrialOutcome* a, const TrialOutcome* b) {
    if (a->failed.empty() != b->failed.empty()) return a->failed.empty();
    return a->failed.empty() && a->better > b->better;
  });
  std::string text = fmt::format("\n  {:>5} {:>7} {:>12} {:>9} {:>9}  settings\n", "trial", "passes",
                                 metric.empty() ? "validation" : metric, "best pass", "seconds");
  for (const TrialOutcome* row : rows) {
    const std::string value = row->failed.empty() ? fmt::format("{:.5f}", row->value) : "failed";
    text += fmt::format("  {:>5} {:>7} {:>12} {:>9} {:>9.1f}  {}\n", row->trial + 1, row->passes, value,
                        row->best_pass, row->seconds, settings_text(row->settings));
  }
  return text;
}

int tune(const TunedJob& job, Console console) {
  const Status done = search(job, console);
  if (done.ok()) return kExitOk;
  console.err << "capstan: " << done.error().message << "\n";
  return done.error().code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace capstan
