#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/tune/tune.h"

namespace capstan {
namespace {

struct TuneArgs {
  JobOption job;
  std::string folder;
};

int run_tune(const TuneArgs& args, Console console) {
  const auto job = load_tuned_job(args.job, args.folder);
  if (job.ok()) return tune(*job, console);
  const std::string& message = job.error().message;
  console.err << message << '\n';
  return kExitUsage;
}

}  // namespace

void add_tune(CLI::App& app, Console console, int& exit_code) {
  auto args = std::make_shared<TuneArgs>();
  CLI::App* command = app.add_subcommand(
      "tune", "Search settings of a job on its validation part: random search with early halving (ASHA)");
  add_job_option(*command, args->job);
  command->add_option(
      "--out", args->folder,
      "The folder of the trials; the same one goes on where it stopped. Default: WORK_DIR/tune");
  command->footer(
      "The job's `tune` section says what is searched, and docs/JOB_REFERENCE.md what it may hold.\n"
      "Ctrl-C stops it; the same command goes on. The test part is never read.\n"
      "Examples:\n"
      "  capstan tune configs/movielens_tune.yaml\n"
      "  capstan tune configs/movielens.yaml --set tune.trials=9 --set \\\n"
      "    'tune.space={optimizer.sparse.learning_rate: {log_uniform: [0.001, 0.03]}}'");
  command->callback([args, console, &exit_code] { exit_code = run_tune(*args, console); });
}

}  // namespace capstan
