// One trial of `capstan tune`: the job that it is, its processes, and what comes of it.
#pragma once

#include <string>
#include <vector>

#include "cli/child_process.h"
#include "cli/job_option.h"
#include "cli/tune/asha.h"
#include "cli/tune/tune_journal.h"

namespace capstan {

// The job that is tuned.
struct TunedJob {
  JobOption option;
  LoadedJob loaded;
  std::string folder;  // of the journal and the trials
  std::vector<Settings> trials;
  std::vector<std::uint32_t> rungs;  // passes

  const JobConfig& config() const { return loaded.config; }
  std::string folder_of(std::uint32_t trial) const;
  // What validation is read for: the job's choice, else the task's usual one where the job computes it;
  // empty: the first of the job's metrics that may stop it.
  std::string metric() const;
  // All that a trial's outcome depends on, as a short text.
  std::string key() const;
};

// kInvalid with every mistake, or when there is no space. folder: empty: beside the job's other files.
Result<TunedJob> load_tuned_job(const JobOption& option, const std::string& folder);

// What makes a trial of the job, to be given to load_job() behind the job's own overrides: its settings,
// passes, name and folder; validation after each pass, no test part, no baselines, a checkpoint at the end.
std::vector<std::string> trial_overrides(const TunedJob& job, const Asha::Task& task);

// Starts `capstan run` on it. It goes on from the trial's checkpoint when there is one, and shares the
// prepared data with the other trials.
Result<ChildProcess> start_trial(const TunedJob& job, const Asha::Task& task);

// From the report of a trial that has ended, or from its log.
TrialOutcome outcome_of_trial(const TunedJob& job, const Asha::Task& task, const ChildProcess& ended);

}  // namespace capstan
