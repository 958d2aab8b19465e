// What trials of `capstan tune` try: settings drawn from the ranges of the job's `tune.space`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/config/job_config.h"

namespace capstan {

// Paths and values, by path; a value as it stands behind the colon of a job file.
using Settings = std::vector<std::pair<std::string, std::string>>;

// The settings of trials 0, 1, ..., no two alike, at most tune.trials; fewer when the space holds no more. A
// function of space and seed alone: more trials only add to them. Numbers have four digits, so that a job
// file with them reads well.
std::vector<Settings> draw_trials(const TuneConfig& tune);

// As the job's command line takes them: "path=value".
std::vector<std::string> overrides_of(const Settings& settings);
// "model.dropout 0.25, train.batch_size 512": for people, the last words of paths where they are clear.
std::string settings_text(const Settings& settings);

}  // namespace capstan
