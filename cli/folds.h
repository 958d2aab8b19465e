// Cross-validation: the same job once for each fold as its test part, and what the figures are together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

// What makes of `job` the one whose test part is fold `fold` of `folds`: its own name, folder and report. To
// be given to load_job() behind the overrides of the job itself.
std::vector<std::string> fold_overrides(const JobConfig& job, std::uint32_t fold, std::uint32_t folds);
std::string fold_report(const JobConfig& job, std::uint32_t fold);

// kInvalid where folds cannot be made: the job brings its own test files, or has other splits beside it.
Status check_folds(const JobConfig& job);

// Joins the folds' reports into the job's own: under `test` each model's and baseline's mean of every figure,
// and beside it under `deviation` the sample deviation over the folds; `folds` has the figures of each.
Status write_folds(Storage& storage, const JobConfig& job, std::uint32_t folds);

// The same as a table, from that report.
Result<std::string> folds_text(std::string_view report);

}  // namespace capstan
