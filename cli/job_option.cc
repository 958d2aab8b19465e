#include "cli/job_option.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <ostream>

namespace capstan {

void add_job_option(CLI::App& command, JobOption& job) {
  command.add_option("job", job.path, "The job file (YAML)")->required();
  command.add_option("--set", job.overrides, "Change a setting: --set train.passes=3 (may be repeated)")
      ->allow_extra_args(false)
      ->type_name("PATH=VALUE");
}

std::optional<LoadedJob> load_or_complain(const JobOption& job, Console console) {
  auto loaded = load_job(job.path, job.overrides);
  if (loaded.ok()) return std::move(loaded).value();
  const std::string& message = loaded.error().message;
  const auto mistakes = 1 + std::count(message.begin(), message.end(), '\n');
  console.err << message << '\n';
  if (mistakes > 1) console.err << fmt::format("{} mistakes\n", mistakes);
  return std::nullopt;
}

}  // namespace capstan
