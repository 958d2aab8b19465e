// The arguments that every command with a job file has: the file and `--set`.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "common/config/load_job.h"

namespace capstan {

struct JobOption {
  std::string path;
  std::vector<std::string> overrides;
};

void add_job_option(CLI::App& command, JobOption& job);

// load_job(), and a report or reject file that is one of the job's inputs is refused.
Result<LoadedJob> load_job_file(const std::string& path, const std::vector<std::string>& overrides);

// Loads the job; after a mistake prints all of them and gives nothing.
std::optional<LoadedJob> load_or_complain(const JobOption& job, Console console);

}  // namespace capstan
