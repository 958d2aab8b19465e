// Preparing: raw files to a Dataset, once a job. Read, clean, fit on train, transform, split.
#pragma once

#include <functional>
#include <string_view>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/dataset.h"

namespace capstan {

using PrepareProgress = std::function<void(std::string_view stage, double done)>;  // done in [0, 1]

// A pure function of (job.data, job.features, job.seed, the files' bytes): every worker gets the same
// Dataset. The result is kept in job.work_dir under its fingerprint, and the next caller (also in another
// process) maps that.
Result<Dataset> prepare(const JobConfig& job, const PrepareProgress& progress);

}  // namespace capstan
