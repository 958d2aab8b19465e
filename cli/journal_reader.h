// Reading a job's journal, wherever the job keeps it, beside a scheduler or without one.
#pragma once

#include <vector>

#include "common/config/job_config.h"
#include "common/storage.h"
#include "scheduler/journal.h"

namespace capstan {

Result<std::vector<JournalRecord>> read_journal(const JobConfig& job, Storage& storage);

}  // namespace capstan
