// `capstan checkpoint prune`: removes old checkpoints by the rule that a running job follows.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <set>

#include "cli/checkpoint_commands.h"
#include "cli/checkpoint_reader.h"
#include "cli/folder_lock.h"
#include "cli/offline_job.h"
#include "common/object_path.h"
#include "common/units.h"
#include "scheduler/cut.h"

namespace capstan {
namespace {

namespace json = boost::json;

struct PruneOptions {
  std::string path;
  std::uint32_t keep = 0;
  bool dry_run = false;
  bool json = false;
};

struct Choice {
  std::set<std::string> gone;                  // directories
  std::map<std::string, std::string> damaged;  // that would have stayed: by directory, the first damage
};

// Those that stay are read from end to end: a damaged one must not stay in place of one that is whole.
Result<Choice> choose(Storage& files, const std::vector<ListedCheckpoint>& all, std::uint32_t keep,
                      std::ostream& progress) {
  CheckpointReader reader(files, all, progress);
  Choice choice;
  std::set<std::string> whole;
  for (bool again = true; again;) {
    again = false;
    std::vector<CheckpointFact> facts;
    for (const ListedCheckpoint& each : all) {
      if (each.manifest.has_value() && !choice.damaged.contains(each.directory)) facts.push_back(each.fact());
    }
    choice.gone.clear();
    const std::vector<std::uint64_t> gone = to_prune(facts, keep);
    for (const CheckpointFact& fact : facts) {
      if (std::find(gone.begin(), gone.end(), fact.checkpoint) != gone.end())
        choice.gone.insert(fact.directory);
    }
    for (const ListedCheckpoint& each : all) {
      const bool stays = each.manifest.has_value() && !choice.damaged.contains(each.directory) &&
                         !choice.gone.contains(each.directory);
      if (!stays || !whole.insert(each.directory).second) continue;
      CAPSTAN_ASSIGN(const CheckpointBytes bytes, reader.read(each));
      if (bytes.damage.empty()) continue;
      choice.damaged[each.directory] = bytes.damage.front().text;
      again = true;
    }
  }
  return choice;
}

// That no scheduler publishes or removes checkpoints meanwhile. In an object store nothing tells.
Status keep_jobs_out(FileLock& lock, Storage& files, const PruneOptions& options) {
  const std::string folder(stored_path(options.path));
  if (options.dry_run || is_object_path(folder)) return ok_status();
  CAPSTAN_ASSIGN(const bool exists, files.exists(options.path));
  CAPSTAN_ASSIGN(const bool itself, is_published(files, options.path));
  if (!exists || itself) return ok_status();  // nothing to remove
  return lock_folder(lock, folder, kCheckpointsLock, std::chrono::milliseconds(0),
                     "It is the scheduler of a job that keeps its checkpoints there, or another prune. Stop "
                     "the job first, or leave the pruning to it: it keeps as many as checkpoint.keep says. "
                     "--dry-run only looks, and may");
}

int run(const PruneOptions& options, Console console) {
  AnyStorage files;
  FileLock lock;
  if (const Status alone = keep_jobs_out(lock, files, options); !alone.ok()) {
    return complain(alone.error(), console);
  }
  const auto all = list_all(files, options.path);
  if (!all.ok()) return complain(all.error(), console);
  const auto found = choose(files, *all, options.keep, console.err);
  if (!found.ok()) return complain(found.error(), console);
  json::array removed, kept;
  std::uint64_t freed = 0;
  // The newest first, as they may need older ones.
  for (auto at = all->rbegin(); at != all->rend(); ++at) {
    const ListedCheckpoint& each = *at;
    const auto damage = found->damaged.find(each.directory);
    if (!found->gone.contains(each.directory)) {
      kept.push_back(json::string(each.directory));
      if (options.json) continue;
      if (damage != found->damaged.end()) {
        console.out << fmt::format("left alone: {} (damaged: {})\n", each.directory, damage->second);
      } else if (!each.manifest.has_value()) {
        console.out << fmt::format("left alone: {} ({})\n", each.directory, to_string(each.state));
      }
      continue;
    }
    if (!options.dry_run) {
      const Status done = remove_checkpoint(files, each.directory);
      if (!done.ok()) return complain(done.error(), console);
    }
    freed += each.fact().bytes;
    removed.push_back(json::string(each.directory));
    if (!options.json) {
      console.out << fmt::format("{} {}\n", options.dry_run ? "would remove" : "removed", each.directory);
    }
  }
  if (options.json) {
    const json::object report = {
        {"dry_run", options.dry_run}, {"removed", removed}, {"kept", kept}, {"bytes_freed", freed}};
    console.out << json::serialize(report) << "\n";
    return kExitOk;
  }
  console.out << fmt::format("{} {} of {} checkpoints, {:.1f} MiB\n",
                             options.dry_run ? "would remove" : "removed", removed.size(), all->size(),
                             in_mib(freed));
  return kExitOk;
}

}  // namespace

void add_checkpoint_prune(CLI::App& group, Console console, int& exit_code) {
  auto options = std::make_shared<PruneOptions>();
  CLI::App* command = group.add_subcommand("prune", "Remove all but the newest checkpoints of a folder");
  command->add_option("path", options->path, "A folder of checkpoints")->required();
  command->add_option("--keep", options->keep, "How many of the newest stay")
      ->required()
      ->check(CLI::Range(1, 10000));
  command->add_flag("--dry-run", options->dry_run, "Only say what would go");
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "The best checkpoint stays too, if it is older, and so do those that others build upon. Those that\n"
      "stay are read from end to end: a damaged or unpublished one is named, and neither counted nor\n"
      "removed. The folder of a running job is refused: the job prunes by itself (checkpoint.keep). That\n"
      "cannot be seen in an object store, nor of a job with schedulers by etcd: stop such a job first.\n"
      "Example: capstan checkpoint prune out/movielens/checkpoints --keep 2 --dry-run");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
