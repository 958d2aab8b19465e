// `capstan recommend`: what a checkpoint would show some users, with the reasons.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/offline_job.h"
#include "worker/program/report_text.h"

namespace capstan {
namespace {

struct RecommendOptions {
  JobOption job;
  std::string checkpoint;
  std::vector<std::string> users;
  std::vector<std::string> without;
  std::uint32_t count = 10;
  bool json = false;
};

Result<std::vector<std::uint32_t>> find_users(const Dataset& data, const std::vector<std::string>& names) {
  std::vector<std::uint32_t> users;
  for (const auto& name : names) {
    const auto found = std::find(data.user_names.begin(), data.user_names.end(), name);
    if (found == data.user_names.end()) {
      return make_error(ErrorCode::kNotFound,
                        fmt::format("user {} is not in the data ({} users, the first is {})", name,
                                    data.num_users, data.user_names.front()));
    }
    users.push_back(static_cast<std::uint32_t>(found - data.user_names.begin()));
  }
  return users;
}

// Items by id or title, each of which one of the users must have.
Result<std::vector<std::uint32_t>> find_items(const Dataset& data, const std::vector<std::string>& names,
                                              const std::vector<std::uint32_t>& users) {
  std::vector<std::uint32_t> items;
  for (const auto& name : names) {
    auto found = std::find(data.item_names.begin(), data.item_names.end(), name);
    auto at = found - data.item_names.begin();
    if (found == data.item_names.end()) {
      found = std::find(data.item_titles.begin(), data.item_titles.end(), name);
      at = found - data.item_titles.begin();
      if (found == data.item_titles.end()) {
        return make_error(ErrorCode::kNotFound, fmt::format("no item has the id or the title '{}'", name));
      }
    }
    const auto item = static_cast<std::uint32_t>(at);
    const bool had = std::any_of(users.begin(), users.end(), [&](std::uint32_t user) {
      return data.train_items.contains(user, item) ||
             (!data.valid_items.offsets.empty() && data.valid_items.contains(user, item));
    });
    if (!had) {
      return make_error(ErrorCode::kNotFound, fmt::format("'{}' is not in the history of the user", name));
    }
    items.push_back(item);
  }
  return items;
}

int run(const RecommendOptions& options, Console console) {
  const auto loaded = load_or_complain(options.job, console);
  if (!loaded) return kExitUsage;
  if (loaded->config.task != Task::kRanking) {
    console.err << "capstan: recommend needs a job whose task is ranking\n";
    return kExitUsage;
  }
  auto offline = open_offline(loaded->config, options.checkpoint);
  if (!offline.ok()) return complain(offline.error(), console);
  say_notes(*(*offline)->tables, console);
  ModelProgram& program = *(*offline)->program;
  const auto users = find_users(program.data(), options.users);
  if (!users.ok()) return complain(users.error(), console);
  const auto without = find_items(program.data(), options.without, *users);
  if (!without.ok()) return complain(without.error(), console);
  program.recommend({*users, options.count, *without});
  WorkItem item;
  item.kind = WorkKind::kEvaluate;
  item.name = "recommend";
  const auto result = run_offline(program, item, *(*offline)->tables);
  if (!result.ok()) return complain(result.error(), console);
  console.out << (options.json ? std::string(result->text()) + "\n" : recommendations_text(result->text()));
  return kExitOk;
}

}  // namespace

void add_recommend(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<RecommendOptions>();
  CLI::App* command =
      app.add_subcommand("recommend", "Recommend items to users from a checkpoint, with reasons");
  add_job_option(*command, options->job);
  command->add_option("--user", options->users, "A user's id as in the data (may be repeated)")->required();
  command->add_option(
      "--without", options->without,
      "An item (id or title) to take out of the history (may be repeated); scores fall by what "
      "the reasons say it gave");
  command->add_option("--count", options->count, "Items a user")->capture_default_str();
  command->add_option("--checkpoint", options->checkpoint,
                      "A checkpoint or a folder of them; default: the job's");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: capstan recommend configs/movielens.yaml --user 42 --user 7");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
