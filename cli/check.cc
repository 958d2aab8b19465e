// `capstan check`: is the job file right, and what does it mean?
#include <spdlog/fmt/fmt.h>

#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/job_option.h"
#include "common/config/reference.h"

namespace capstan {
namespace {

struct CheckOptions {
  JobOption job;
  bool explain = false;
  bool reference = false;
};

int check(const CheckOptions& options, Console console) {
  if (options.reference) {
    console.out << job_reference();
    return kExitOk;
  }
  if (options.job.path.empty()) {
    console.err << "capstan: check needs a job file\n";
    return kExitUsage;
  }
  const auto job = load_or_complain(options.job, console);
  if (!job) return kExitUsage;
  if (options.explain) {
    console.out << explain(*job);
  } else {
    console.out << fmt::format("{}: job {} is fine (--explain prints every setting)\n", options.job.path,
                               job->config.name);
  }
  return kExitOk;
}

}  // namespace

void add_check(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Check a job file and report every mistake with its place");
  add_job_option(*command, options->job);
  command->get_option("job")->required(false);
  command->add_flag("--explain", options->explain, "Print the whole job and where each value came from");
  command->add_flag("--reference", options->reference, "Print the reference of the job file (Markdown)");
  command->footer(
      "Examples:\n"
      "  capstan check configs/movielens.yaml\n"
      "  capstan check configs/movielens.yaml --explain --set train.passes=3\n"
      "  capstan check --reference");
  command->callback([options, console, &exit_code] { exit_code = check(*options, console); });
}

}  // namespace capstan
