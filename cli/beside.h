// Figures beside a job's own: the same job, trained and judged anew on the splits of `evaluate.beside`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

// What makes of `job` the one on the split: its own name, folder and report, no recommendations, no
// checkpoints but those that early stopping needs. To be given to load_job() behind the overrides of the job
// itself.
std::vector<std::string> beside_overrides(const JobConfig& job, const std::string& split);
std::string beside_report(const JobConfig& job, const std::string& split);

// Writes the figures of the split's report into the job's, as `test.beside.SPLIT`.
Status add_beside(Storage& storage, const JobConfig& job, const std::string& split);

// One table: who by what split, from the job's report after add_beside().
Result<std::string> beside_text(std::string_view report, const JobConfig& job);

}  // namespace capstan
