// The tables of a job whose rows only direct clients train: no worker tells which there are, the job does.
#pragma once

#include <vector>

#include "common/config/job_config.h"

namespace capstan {

// By name. REQUIRES: `task: direct`.
std::vector<TableSpec> direct_tables(const JobConfig& job);

}  // namespace capstan
