#include "cli/job_option.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "worker/data/sources.h"

namespace capstan {
namespace {

// A report or a list of bad lines that would take the place of the data it tells of.
Status check_outputs(const JobConfig& job) {
  const auto files = source_files(job);
  if (!files.ok()) return ok_status();  // said by who reads them
  const std::pair<std::string_view, std::string> outputs[] = {{"report", job.report},
                                                              {"data.reject_file", job.data.reject_file}};
  for (const auto& [setting, path] : outputs) {
    for (const std::string& file : *files) {
      std::error_code error;
      if (path.empty() || !std::filesystem::equivalent(path, file, error)) continue;
      return make_error(ErrorCode::kInvalid,
                        fmt::format("{}: {} is a file that the job reads; name another one", setting, path));
    }
  }
  return ok_status();
}

}  // namespace

void add_job_option(CLI::App& command, JobOption& job) {
  command.add_option("job", job.path, "The job file (YAML)")->required();
  command.add_option("--set", job.overrides, "Change a setting: --set train.passes=3 (may be repeated)")
      ->allow_extra_args(false)
      ->type_name("PATH=VALUE");
}

Result<LoadedJob> load_job_file(const std::string& path, const std::vector<std::string>& overrides) {
  CAPSTAN_ASSIGN(LoadedJob loaded, load_job(path, overrides));
  CAPSTAN_TRY(check_outputs(loaded.config).wrap(path));
  return loaded;
}

std::optional<LoadedJob> load_or_complain(const JobOption& job, Console console) {
  auto loaded = load_job_file(job.path, job.overrides);
  if (loaded.ok()) return std::move(loaded).value();
  const std::string& message = loaded.error().message;
  const auto mistakes = 1 + std::count(message.begin(), message.end(), '\n');
  console.err << message << '\n';
  if (mistakes > 1) console.err << fmt::format("{} mistakes\n", mistakes);
  return std::nullopt;
}

}  // namespace capstan
