// `capstan rerank`: what re-ranking makes of a checkpoint's lists on the test part, setting by setting.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <memory>
#include <ostream>

#include "cli/lists/list_commands.h"
#include "worker/eval/ranking_part.h"
#include "worker/program/rerank_part.h"

namespace capstan {
namespace {

namespace json = boost::json;

struct RerankOptions {
  JobOption job;
  std::string checkpoint, report;
  std::vector<std::string> steps;
  std::uint32_t pool = 100;
};

struct Judged {
  RerankSetting setting;
  RankingSummary summary;
};

Result<std::vector<Judged>> judge(const RerankOptions& options, const JobConfig& job, OfflineJob& offline) {
  const ModelProgram& program = *offline.program;
  CAPSTAN_ASSIGN(const Reranking reranking, read_reranking(options.steps, options.pool, job, program.data()));
  CAPSTAN_ASSIGN(const auto part,
                 RerankPart::create(program.job(), program.data(), program.model(), reranking));
  WorkItem item;
  item.kind = WorkKind::kEvaluate;
  item.name = "rerank";
  item.num_partitions = 1;
  CAPSTAN_ASSIGN(const Buffer bytes, run_offline(*part, item, *offline.tables));
  CAPSTAN_ASSIGN(const auto parts, decode_rerank_parts(bytes.bytes()));
  CAPSTAN_ASSIGN(const auto settings, judged_settings(reranking));
  std::vector<Judged> all;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CAPSTAN_ASSIGN(RankingSummary summary, merge({parts[i]}));
    all.push_back({settings[i], std::move(summary)});
  }
  return all;
}

// Each metric at the job's cut-off, in the order in which a reader asks.
std::vector<std::string> columns_of(const RankingSummary& summary, std::uint32_t cut) {
  std::vector<std::string> columns;
  for (const char* name : {"ndcg", "recall", "distance", "calibration", "coverage", "gini", "novelty"}) {
    std::string column = fmt::format("{}@{}", name, cut);
    if (summary.metrics.contains(column)) columns.push_back(std::move(column));
  }
  return columns;
}

std::string text_of(const std::vector<Judged>& all, std::uint32_t cut) {
  const auto columns = columns_of(all.front().summary, cut);
  std::size_t width = 10;
  for (const Judged& each : all) width = std::max(width, each.setting.name.size());
  std::string text = fmt::format("test: {}, {} users\n  {:{}}", all.front().summary.users.protocol,
                                 all.front().summary.users.users.size(), "", width);
  for (const auto& column : columns) text += fmt::format("{:>16}", column);
  for (const Judged& each : all) {
    text += fmt::format("\n  {:{}}", each.setting.name, width);
    for (const auto& column : columns) text += fmt::format("{:>16.4f}", each.summary.metrics.at(column));
  }
  text += "\n  distance: how unlike the items of a list are, 0 to 1";
  if (all.front().summary.metrics.contains(fmt::format("calibration@{}", cut)))
    text += "; calibration: how far its categories are from the user's history (KL), 0 is the same shares";
  return text + "\n";
}

// "mmr@genres, cap@genres": the steps without their values.
std::string names_of(const std::vector<std::string>& steps) {
  std::string names;
  for (const std::string& step : steps) {
    const std::size_t equals = step.find('='), at = step.find('@');
    names += (names.empty() ? "" : ", ") + step.substr(0, equals);
    if (at != std::string::npos) names += step.substr(at);
  }
  return names;
}

std::string json_of(const std::vector<Judged>& all, const RerankOptions& options, const JobConfig& job,
                    const std::string& checkpoint) {
  json::array settings;
  for (const Judged& each : all) {
    json::object figures = {{"name", each.setting.name}, {"value", each.setting.value}};
    for (const auto& [name, value] : each.summary.metrics) figures[name] = value;
    settings.push_back(std::move(figures));
  }
  const json::object report = {{"job", job.name},
                               {"checkpoint", checkpoint},
                               {"steps", names_of(options.steps)},
                               {"pool", options.pool},
                               {"protocol", all.front().summary.users.protocol},
                               {"users", all.front().summary.users.users.size()},
                               {"rerank", std::move(settings)}};
  return json::serialize(report) + "\n";
}

int run(const RerankOptions& options, Console console) {
  const auto loaded = load_or_complain(options.job, console);
  if (!loaded) return kExitUsage;
  if (loaded->config.task != Task::kRanking) {
    console.err << "capstan: rerank needs a job whose task is ranking\n";
    return kExitUsage;
  }
  auto offline = open_offline(loaded->config, options.checkpoint);
  if (!offline.ok()) return complain(offline.error(), console);
  say_notes(*(*offline)->tables, console);
  const auto all = judge(options, loaded->config, **offline);
  if (!all.ok()) return complain(all.error(), console);
  const std::string& checkpoint = (*offline)->tables->directory();
  console.out << "checkpoint " << checkpoint << "\n" << text_of(*all, loaded->config.evaluate.at.front());
  if (options.report.empty()) return kExitOk;
  const Status written =
      write_list_report(options.report, json_of(*all, options, loaded->config, checkpoint));
  return written.ok() ? kExitOk : complain(written.error(), console);
}

}  // namespace

void add_rerank(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<RerankOptions>();
  CLI::App* command =
      app.add_subcommand("rerank", "Judge re-ranked lists of a checkpoint, without a cluster");
  add_job_option(*command, options->job);
  command
      ->add_option("--step", options->steps,
                   "What is done to each list, one step after the other: mmr=WEIGHT, dpp=WEIGHT, "
                   "calibrated=WEIGHT@COLUMN, cap=N@COLUMN, random=SHARE. Several values give a curve")
      ->required();
  command->add_option("--pool", options->pool, "The best so many items of a user are what steps choose from")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--checkpoint", options->checkpoint,
                      "A checkpoint or a folder of them; default: the job's");
  command->add_option("--report", options->report,
                      "Write the figures (JSON) here; `capstan plot` draws them");
  command->footer(
      "A weight of 1 keeps the model's order. mmr and dpp compare item vectors, or categories: "
      "mmr=0.5@genres.\n"
      "Example: capstan rerank configs/movielens.yaml --step mmr=0,0.2,0.4,0.6,0.8,1@genres --report "
      "mmr.json");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
