// What a finished job keeps of a user beside rows: prepared data, and the report with the values beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/storage.h"

namespace capstan {

std::string work_dir_of(const JobConfig& job);

// Folders of prepared data below the job's work_dir that hold the user's name, or cannot be read. They can be
// made anew from the input at any time.
Result<std::vector<std::string>> prepared_with(Storage& storage, const JobConfig& job,
                                               const std::string& user);

struct ReportTraces {
  std::uint64_t recommendations = 0;  // lists of the user in the report
  std::uint64_t values = 0;           // rows of figures in the file beside it
};

// remove: they are taken out and the files written anew; else only counted. Nothing without a report.
Result<ReportTraces> forget_in_report(Storage& storage, const std::string& report, const std::string& user,
                                      bool remove);

}  // namespace capstan
