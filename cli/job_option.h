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

// Loads the job; after a mistake prints all of them and gives nothing.
std::optional<LoadedJob> load_or_complain(const JobOption& job, Console console);

}  // namespace capstan
