// `capstan eval`: a checkpoint judged on the job's test split.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/offline_job.h"
#include "common/merged_report.h"
#include "scheduler/report.h"
#include "worker/program/report_text.h"

namespace capstan {
namespace {

struct EvaluateOptions {
  JobOption job;
  std::string checkpoint;
  std::string report;
  std::string split = "test";
};

// Every part that the split's merge wants, then the merge.
Result<MergedReport> evaluate(OfflineJob& offline, const std::string& split) {
  WorkItem merge;
  merge.kind = WorkKind::kMerge;
  merge.name = split == "test" ? "report" : "valid";
  for (const auto& part : offline.program->info().evaluate_parts) {
    if ((split == "test") == (part.name == "valid")) continue;
    for (std::uint32_t partition = 0; partition < part.partitions; ++partition) {
      WorkItem item;
      item.kind = WorkKind::kEvaluate;
      item.name = part.name;
      item.partition = partition;
      item.num_partitions = part.partitions;
      CAPSTAN_ASSIGN(Buffer result, run_offline(*offline.program, item, *offline.tables));
      merge.inputs.push_back(std::move(result));
    }
  }
  CAPSTAN_ASSIGN(const Buffer merged, offline.program->finish(merge));
  return decode_merged_report(merged);
}

int run(const EvaluateOptions& options, Console console) {
  const auto loaded = load_or_complain(options.job, console);
  if (!loaded) return kExitUsage;
  auto offline = open_offline(loaded->config, options.checkpoint);
  if (!offline.ok()) return complain(offline.error(), console);
  const CheckpointTables& tables = *(*offline)->tables;
  say_notes(tables, console);
  const auto result = evaluate(**offline, options.split);
  if (!result.ok()) return complain(result.error(), console);
  auto json = boost::json::parse(result->json).as_object();
  if (options.split == "test") json["evaluated_on_test"] = "by capstan eval, beside the run's own judgement";
  console.out << "checkpoint " << tables.directory() << "\n";
  console.out << (options.split == "test" ? std::string(json.at("text").as_string())
                                          : valid_text(loaded->config, result->json))
              << "\n";
  if (options.report.empty()) return kExitOk;
  const std::string beside = result->values.empty() ? "" : values_path(options.report);
  boost::json::object report = {{"job", loaded->config.name},
                                {"checkpoint", tables.directory()},
                                {"warnings", boost::json::value_from(tables.notes())},
                                {"split", options.split},
                                {options.split, json},
                                {"values", nullptr}};
  if (!beside.empty()) report["values"] = beside.substr(beside.rfind('/') + 1);
  const Status written =
      write_report((*offline)->files, options.report, boost::json::serialize(report) + "\n", result->values);
  return written.ok() ? kExitOk : complain(written.error(), console);
}

}  // namespace

void add_evaluate(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command =
      app.add_subcommand("eval", "Judge a checkpoint on the job's test split, without a cluster");
  add_job_option(*command, options->job);
  command->add_option("--checkpoint", options->checkpoint,
                      "A checkpoint or a folder of them; default: the job's");
  command->add_option("--split", options->split, "test or valid")->check(CLI::IsMember({"test", "valid"}));
  command->add_option("--report", options->report, "Write the figures (JSON) here");
  command->footer("Example: capstan eval configs/movielens.yaml --report eval.json");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
