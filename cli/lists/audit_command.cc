// `capstan audit`: whom a checkpoint serves worse, and which items it shows less than users gave them.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <cmath>
#include <memory>
#include <ostream>

#include "cli/lists/audit_text.h"
#include "cli/lists/list_commands.h"
#include "common/text.h"
#include "worker/data/side_columns.h"
#include "worker/eval/history.h"
#include "worker/eval/pointwise_evaluator.h"
#include "worker/eval/ranking_part.h"
#include "worker/rerank/item_similarity.h"

namespace capstan {
namespace {

struct AuditOptions {
  JobOption job;
  std::string checkpoint, report, metric;
  std::vector<std::string> users, items;
};

// "age=18,25" or "gender".
struct Column {
  std::string text, name;
  std::vector<double> bounds;
};

Result<Column> parse_column(const std::string& text) {
  const std::size_t equals = text.find('=');
  Column column{text, text.substr(0, equals), {}};
  if (equals == std::string::npos) return column;
  std::string_view rest = std::string_view(text).substr(equals + 1);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    const auto bound = parse_double(rest.substr(0, comma));
    if (more) rest.remove_prefix(comma + 1);
    const bool ascends =
        bound && std::isfinite(*bound) && (column.bounds.empty() || *bound > column.bounds.back());
    if (!ascends) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("'{}': behind = come ascending bounds, such as age=18,25,35", text));
    }
    column.bounds.push_back(*bound);
  }
  return column;
}

constexpr std::string_view kHistory = "history";

// How many items each user had in training and validation, as the column `history`.
std::vector<std::string> history_sizes(const Dataset& data) {
  std::vector<std::string> sizes;
  for (std::uint32_t user = 0; user < data.num_users; ++user)
    sizes.push_back(
        std::to_string(items_of(data.train_items, user).size() + items_of(data.valid_items, user).size()));
  return sizes;
}

// What the test part gives: figures of users, or examples.
struct Judged {
  RankingPart users;
  PointwisePart examples;
};

Result<Judged> judge(OfflineJob& offline) {
  Judged judged;
  const ProgramInfo& info = offline.program->info();
  std::vector<RankingPart> parts;
  for (const auto& part : info.evaluate_parts) {
    if (part.name != "test") continue;
    for (std::uint32_t partition = 0; partition < part.partitions; ++partition) {
      WorkItem item;
      item.kind = WorkKind::kEvaluate;
      item.name = part.name;
      item.partition = partition;
      item.num_partitions = part.partitions;
      CAPSTAN_ASSIGN(const Buffer bytes, run_offline(*offline.program, item, *offline.tables));
      if (offline.program->job().task == Task::kRanking) {
        CAPSTAN_ASSIGN(RankingPart more, decode_ranking_part(bytes.bytes()));
        if (!more.users.empty()) parts.push_back(std::move(more));
      } else {
        CAPSTAN_ASSIGN(const PointwisePart more, decode_pointwise_part(bytes.bytes()));
        CAPSTAN_TRY(judged.examples.add(more.scores, more.labels, more.users, judged.examples.scores.size()));
      }
    }
  }
  if (parts.empty() && judged.examples.scores.empty())
    return make_error(ErrorCode::kInvalid, "the job has no test part to audit");
  if (!parts.empty()) {
    CAPSTAN_ASSIGN(RankingSummary summary, merge(parts));
    judged.users = std::move(summary.users);
  }
  return judged;
}

// The figures of users are of a ranking's metric, or each user's mean squared error.
Result<UserAudit> audit_users(const Column& column, const Groups& groups, const Judged& judged,
                              const std::string& metric, const Dataset& data,
                              const BootstrapOptions& options) {
  UserAudit audit{column.text, metric, {}, {}};
  if (!judged.users.users.empty()) {
    CAPSTAN_ASSIGN(const std::vector<double> values, capstan::column(judged.users, metric));
    std::vector<std::uint32_t> of;
    for (const std::uint32_t user : judged.users.users) of.push_back(groups.of[user]);
    audit.groups = compare_groups(values, of, groups.names, options);
    return audit;
  }
  const auto users = data.test.users.as<std::uint32_t>(), items = data.test.items.as<std::uint32_t>();
  const RatedExamples rated{judged.examples.scores, judged.examples.labels, users, items};
  std::vector<double> squares(data.num_users, 0.0), counts(data.num_users, 0.0);
  for (std::size_t i = 0; i < users.size(); ++i) {
    const double error = static_cast<double>(rated.predictions[i]) - static_cast<double>(rated.ratings[i]);
    squares[users[i]] += error * error;
    counts[users[i]] += 1.0;
  }
  for (std::uint32_t user = 0; user < data.num_users; ++user) squares[user] /= counts[user];  // NaN: none
  audit.groups = compare_groups(squares, groups.of, groups.names, options);
  for (const GroupFigure& group : audit.groups) {
    const auto which = std::find(groups.names.begin(), groups.names.end(), group.name) - groups.names.begin();
    audit.unfairness.push_back(
        bootstrap_unfairness(rated, groups.of, static_cast<std::uint32_t>(which), data.num_items, options));
  }
  return audit;
}

Result<Audit> audit(const AuditOptions& options, const JobConfig& job, OfflineJob& offline) {
  const Dataset& data = offline.program->data();
  CAPSTAN_ASSIGN(const Judged judged, judge(offline));
  const BootstrapOptions bootstrap{std::max(job.evaluate.bootstrap, 1U), 0.95, job.seed};
  Audit result;
  result.job = job.name;
  result.checkpoint = offline.tables->directory();
  result.protocol = judged.users.users.empty() ? "every example of the test part" : judged.users.protocol;
  std::string metric = options.metric;
  if (judged.users.users.empty()) {
    metric = "mean squared error";
  } else if (metric.empty()) {
    metric = fmt::format("ndcg@{}", job.evaluate.at.front());
  }
  for (const std::string& text : options.users) {
    CAPSTAN_ASSIGN(const Column column, parse_column(text));
    CAPSTAN_ASSIGN(const auto texts, column.name == kHistory ? Result(history_sizes(data))
                                                             : user_column(job, data, column.name));
    CAPSTAN_ASSIGN(UserAudit found,
                   audit_users(column, groups_of(texts, column.bounds), judged, metric, data, bootstrap));
    result.users.push_back(std::move(found));
  }
  for (const std::string& name : options.items) {
    if (judged.users.users.empty())
      return make_error(ErrorCode::kInvalid, "exposure of items needs `task: ranking`");
    CAPSTAN_ASSIGN(const auto texts, item_column(job, data, name));
    const auto counts = data.item_counts.as<std::uint32_t>();
    result.items.push_back({name, category_names(texts),
                            exposure_ratios(judged.users.lists, judged.users.list_length,
                                            item_categories(texts), counts, bootstrap)});
  }
  return result;
}

int run(const AuditOptions& options, Console console) {
  const auto loaded = load_or_complain(options.job, console);
  if (!loaded) return kExitUsage;
  const Task task = loaded->config.task;
  if (task != Task::kRanking && task != Task::kRating) {
    console.err << "capstan: audit needs a job whose task is ranking or rating\n";
    return kExitUsage;
  }
  auto offline = open_offline(loaded->config, options.checkpoint);
  if (!offline.ok()) return complain(offline.error(), console);
  say_notes(*(*offline)->tables, console);
  const auto result = audit(options, loaded->config, **offline);
  if (!result.ok()) return complain(result.error(), console);
  console.out << audit_text(*result);
  if (options.report.empty()) return kExitOk;
  const Status written = write_list_report(options.report, audit_json(*result));
  return written.ok() ? kExitOk : complain(written.error(), console);
}

}  // namespace

void add_audit(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* command =
      app.add_subcommand("audit", "Compare what groups of users and items get from a checkpoint");
  add_job_option(*command, options->job);
  command->add_option(
      "--users", options->users,
      "A column of the users' file; numbers in bands: age=18,25,35; history=1,20 by the items that a "
      "user had before the test part, 0 being new users (may be repeated)");
  command->add_option("--items", options->items,
                      "Ranking: a column of the items' file with categories, a|b (may be repeated)");
  command->add_option("--metric", options->metric, "Ranking: the figure that is compared; default: ndcg");
  command->add_option("--checkpoint", options->checkpoint,
                      "A checkpoint or a folder of them; default: the job's");
  command->add_option("--report", options->report, "Write the figures (JSON) here");
  command->footer(
      "Example: capstan audit configs/movielens.yaml --users gender --users age=18,25,35,45,56 "
      "--items genres");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
