// Building a Dataset from raw files: read, clean, split, fit, transform. prepare() keeps its result.
#pragma once

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/dataset.h"
#include "worker/data/prepare.h"

namespace capstan {

// A pure function of the job's data settings and the files' bytes; leaves the fingerprint at 0.
Result<Dataset> build_dataset(const JobConfig& job, const PrepareProgress& progress);

}  // namespace capstan
