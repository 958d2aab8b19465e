// `capstan checkpoint verify`: reads every byte of checkpoints and names what is damaged.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <memory>
#include <ostream>

#include "cli/checkpoint_commands.h"
#include "cli/checkpoint_reader.h"
#include "cli/offline_job.h"
#include "common/units.h"

namespace capstan {
namespace {

namespace json = boost::json;

struct VerifyOptions {
  std::string path;
  bool json = false;
};

json::object to_json(const ListedCheckpoint& each, const CheckpointBytes& verified) {
  const bool whole = each.state == CheckpointState::kComplete && verified.damage.empty();
  json::object object = {{"checkpoint", each.checkpoint},
                         {"directory", each.directory},
                         {"state", whole                                      ? "complete"
                                   : each.state == CheckpointState::kComplete ? "damaged"
                                                                              : to_string(each.state)},
                         {"blocks", verified.blocks},
                         {"bytes", verified.bytes}};
  if (!each.problem.empty()) object["problem"] = each.problem;
  json::array damage;
  for (const SectionDamage& one : verified.damage) {
    damage.push_back(
        {{"file", one.file}, {"offset", one.offset}, {"length", one.length}, {"text", one.text}});
  }
  object["damage"] = std::move(damage);
  return object;
}

std::string lines(const ListedCheckpoint& each, const CheckpointBytes& verified) {
  if (each.state != CheckpointState::kComplete) {
    return fmt::format("{}: {}: {}\n", each.directory, to_string(each.state), each.problem);
  }
  std::string text =
      fmt::format("{}: {}, {} blocks, {:.1f} MiB\n", each.directory,
                  verified.damage.empty() ? "complete" : "damaged", verified.blocks, in_mib(verified.bytes));
  for (const SectionDamage& one : verified.damage) text += "  " + one.text + "\n";
  return text;
}

// The last line, of text alone.
std::string outcome(const std::string& path, std::size_t all, std::uint64_t published, std::uint64_t bad) {
  if (all == 0) return fmt::format("{}: there is no checkpoint in it\n", path);
  if (published > 0) return fmt::format("{} of {} damaged\n", bad, all);
  return fmt::format(
      "{}: nothing is published in it, so a job cannot go on from it: what is there is still being written, "
      "or "
      "was given up\n",
      path);
}

int run(const VerifyOptions& options, Console console) {
  AnyStorage files;
  const auto all = list_all(files, options.path);
  if (!all.ok()) return complain(all.error(), console);
  std::uint64_t bad = 0, published = 0;
  CheckpointReader reader(files, *all, console.err);
  json::array array;
  for (const ListedCheckpoint& each : *all) {
    CheckpointBytes verified;
    if (each.state == CheckpointState::kComplete) {
      auto done = reader.read(each);
      if (!done.ok()) return complain(done.error(), console);
      verified = std::move(done).value();
    }
    published += each.state != CheckpointState::kUnpublished;
    bad += each.state == CheckpointState::kDamaged || !verified.damage.empty();
    if (options.json) {
      array.push_back(to_json(each, verified));
    } else {
      console.out << lines(each, verified) << std::flush;
    }
  }
  if (options.json) {
    console.out << json::serialize(array) << "\n";
  } else {
    console.out << outcome(options.path, all->size(), published, bad);
  }
  return bad > 0 || published == 0 ? kExitFailed : kExitOk;
}

}  // namespace

void add_checkpoint_verify(CLI::App& group, Console console, int& exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      group.add_subcommand("verify", "Read checkpoints from end to end and name every damaged block");
  command->add_option("path", options->path, "A folder of checkpoints, or one checkpoint")->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Exit code 0: all complete; 1: damage was found, or nothing is published there. A checkpoint that is\n"
      "unpublished (still being written, or given up) is named; beside others it is no damage.\n"
      "Example: capstan checkpoint verify out/movielens/checkpoints/ckpt-000007");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
