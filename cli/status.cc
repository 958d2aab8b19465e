// `capstan status`: what a running job is doing.
#include <boost/json.hpp>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/live_rows.h"
#include "cli/offline_job.h"
#include "cli/status_page.h"

namespace capstan {
namespace {

struct StatusOptions {
  LiveTarget live;
  bool json = false;
};

int run(const StatusOptions& options, Console console) {
  const auto fetched = fetch_status(options.live);
  if (!fetched.ok()) return complain(fetched.error(), console);
  if (options.json) {
    console.out << *fetched << "\n";
    return kExitOk;
  }
  console.out << status_page(boost::json::parse(*fetched).as_object());
  return kExitOk;
}

}  // namespace

void add_status(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command =
      app.add_subcommand("status", "Show what a running job is doing: nodes, shards, speed, partitions");
  add_live_target(*command, options->live);
  command->get_option("--scheduler")->required();
  command->get_option("--job")->required();
  command->add_flag("--json", options->json, "Print the scheduler's answer as JSON");
  command->footer("Example: capstan status --scheduler tcp://127.0.0.1:7000 --job movielens");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
