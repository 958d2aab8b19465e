#include <memory>

#include "cli/commands.h"
#include "cli/run_job.h"
#include "common/endpoint_check.h"

namespace capstan {

void add_run(CLI::App& app, int& exit_code) {
  auto args = std::make_shared<RunArgs>();
  auto report = std::make_shared<std::string>();
  CLI::App* run = app.add_subcommand("run", "Run a job's whole cluster on this host, from data to report");
  add_job_option(*run, args->job);
  run->add_option("--report", *report, "Write the report (JSON) here instead of the job's `report`");
  run->add_flag("--resume", args->resume, "Go on from this run's newest checkpoint");
  run->add_option("--resume-from", args->resume_from, "Go on from this checkpoint, perhaps an earlier run's");
  run->add_option(
         "--http", args->http,
         "The scheduler answers /metrics, /status, /healthz and /readyz here (HOST:PORT), servers and "
         "workers at the ports after it")
      ->check([](const std::string& text) {
        const Status fits = check_page_place(text);
        return fits.ok() ? std::string() : fits.error().message;
      });
  add_keys_option(*run, args->keys);
  run->add_option("--folds", args->folds,
                  "Cross-validation: once for each of so many random folds as the test part, instead of the "
                  "job's own split; mean and deviation go into the report")
      ->check(CLI::Range(2U, 1000U))
      ->excludes("--resume")
      ->excludes("--resume-from");
  run->add_flag("--quiet", args->quiet, "No progress, only the result");
  run->footer(
      "Examples:\n"
      "  capstan run configs/movielens.yaml --set train.passes=5\n"
      "  capstan run configs/adult_wide_deep.yaml --folds 5");
  run->callback([args, report, &exit_code] {
    if (!report->empty()) args->job.overrides.push_back("report=" + *report);
    exit_code = run_job(*args);
  });
}

}  // namespace capstan
