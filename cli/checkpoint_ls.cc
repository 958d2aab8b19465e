// `capstan checkpoint ls`: what there is to go on from.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <memory>
#include <ostream>
#include <set>

#include "cli/checkpoint_commands.h"
#include "cli/checkpoint_list.h"
#include "cli/offline_job.h"
#include "cli/progress_view.h"
#include "common/section_chains.h"
#include "common/units.h"

namespace capstan {
namespace {

namespace json = boost::json;

struct LsOptions {
  std::string path;
  bool json = false;
};

// Only the newest of those that were the best of their run when they were made still is.
void leave_one_best(std::vector<ListedCheckpoint>& all) {
  std::set<std::uint32_t> seen;
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    if (each->manifest && each->manifest->best)
      each->manifest->best = seen.insert(each->manifest->run).second;
  }
}

json::object to_json(const ListedCheckpoint& each) {
  json::object object = {
      {"checkpoint", each.checkpoint}, {"directory", each.directory}, {"state", to_string(each.state)}};
  if (!each.manifest.has_value()) {
    object["problem"] = each.problem;
    return object;
  }
  const Manifest& manifest = *each.manifest;
  object["job"] = manifest.job;
  object["generation"] = manifest.generation;
  object["written_at"] = manifest.written_at;
  object["passes"] = manifest.passes.size();
  object["steps"] = each.steps();
  object["rows"] = each.fact().rows;
  object["bytes"] = each.fact().bytes;
  object["kind"] = manifest.builds_on == 0 ? "full" : "incremental";
  object["builds_on"] = manifest.builds_on;
  object["best"] = manifest.best;
  return object;
}

std::string line(const ListedCheckpoint& each) {
  const std::string name = folder_name(each.directory);
  const std::string state(to_string(each.state));
  if (!each.manifest.has_value()) {
    return fmt::format("{:14} {:21} {:>12} {:>9} {:>10}  {:12} {}: {}\n", name, "-", "-", "-", "-", "-",
                       state, each.problem);
  }
  const Manifest& manifest = *each.manifest;
  const std::string at = manifest.streams.empty()
                             ? std::to_string(manifest.passes.size())
                             : fmt::format("{} + {}", manifest.passes.size(), each.steps());
  const std::string kind = manifest.builds_on == 0 ? "full" : fmt::format("upon {}", manifest.builds_on);
  return fmt::format("{:14} {:21} {:>12} {:>9} {:>10}  {:12} {}{}\n", name, manifest.written_at, at,
                     short_number(static_cast<double>(each.fact().rows)),
                     fmt::format("{:.1f}MiB", in_mib(each.fact().bytes)), kind, state,
                     manifest.best ? ", best" : "");
}

int run(const LsOptions& options, Console console) {
  AnyStorage files;
  auto all = list_all(files, options.path);
  if (!all.ok()) return complain(all.error(), console);
  leave_one_best(*all);
  if (options.json) {
    json::array array;
    for (const ListedCheckpoint& each : *all) array.push_back(to_json(each));
    console.out << json::serialize(array) << "\n";
    return kExitOk;
  }
  if (all->empty()) {
    console.out << "no checkpoints in " << options.path << "\n";
    return kExitOk;
  }
  console.out << fmt::format("{:14} {:21} {:>12} {:>9} {:>10}  {:12} {}\n", "checkpoint", "written at",
                             "pass + step", "rows", "bytes", "kind", "state");
  for (const ListedCheckpoint& each : *all) console.out << line(each);
  return kExitOk;
}

}  // namespace

void add_checkpoint_ls(CLI::App& group, Console console, int& exit_code) {
  auto options = std::make_shared<LsOptions>();
  CLI::App* command = group.add_subcommand("ls", "List the checkpoints of a folder, oldest first");
  command->add_option("path", options->path, "A folder of checkpoints, or one checkpoint")->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "pass + step: passes finished before it, and batches (over all workers) of the one under way.\n"
      "bytes: that it added. kind: full, or upon N: it holds what changed since ckpt-N, and needs that.\n"
      "state: complete (the manifest verifies, files have their length; `verify` reads them), damaged,\n"
      "or unpublished (no manifest yet: being written, or given up).\n"
      "Example: capstan checkpoint ls out/movielens/checkpoints");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
