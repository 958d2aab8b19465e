// `capstan checkpoint verify`: reads every byte of checkpoints and names what is damaged.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <ostream>

#include "cli/checkpoint_commands.h"
#include "cli/checkpoint_list.h"
#include "cli/offline_job.h"
#include "common/units.h"
#include "ps/section_file.h"

namespace capstan {
namespace {

namespace json = boost::json;
constexpr std::uint64_t kReportEvery = std::uint64_t{1} << 30;  // bytes read

struct VerifyOptions {
  std::string path;
  bool json = false;
};

struct Verified {
  std::uint64_t blocks = 0, bytes = 0;
  std::vector<SectionDamage> damage;
};

// Says on `err` how far it is, once a GiB.
class Progress {
 public:
  Progress(std::uint64_t total, std::ostream& err) : total_(total), err_(err) {}
  void add(std::uint64_t bytes) {
    done_ += bytes;
    if (done_ - told_ < kReportEvery) return;
    told_ = done_;
    const auto gib = [](std::uint64_t n) { return static_cast<double>(n) / static_cast<double>(1U << 30); };
    err_ << fmt::format("read {:.1f} of {:.1f} GiB\n", gib(done_), gib(total_)) << std::flush;
  }

 private:
  std::uint64_t total_, done_ = 0, told_ = 0;
  std::ostream& err_;
};

using Places = std::map<SectionPlace, std::vector<SectionDamage>>;

// What several checkpoints need is read once.
Result<Verified> read_all(Storage& storage, const ListedCheckpoint& each, Places& read, Progress& progress) {
  Verified verified;
  for (const ShardSection& section : each.manifest->sections) {
    const auto [place, news] = read.try_emplace({section_path(each.directory, section), section.offset},
                                                std::vector<SectionDamage>());
    if (news) {
      CAPSTAN_ASSIGN(place->second, damage_of(storage, each.directory, section));
      progress.add(section.length);
    }
    verified.damage.insert(verified.damage.end(), place->second.begin(), place->second.end());
    verified.blocks += blocks_of(section);
    verified.bytes += section.length;
  }
  return verified;
}

// Bytes to be read.
std::uint64_t total_of(const std::vector<ListedCheckpoint>& all) {
  std::map<SectionPlace, std::uint64_t> lengths;
  for (const ListedCheckpoint& each : all) {
    if (!each.manifest.has_value()) continue;
    for (const ShardSection& section : each.manifest->sections) {
      lengths[{section_path(each.directory, section), section.offset}] = section.length;
    }
  }
  std::uint64_t total = 0;
  for (const auto& [place, length] : lengths) total += length;
  return total;
}

json::object to_json(const ListedCheckpoint& each, const Verified& verified) {
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

std::string lines(const ListedCheckpoint& each, const Verified& verified) {
  if (each.state != CheckpointState::kComplete) {
    return fmt::format("{}: {}: {}\n", each.directory, to_string(each.state), each.problem);
  }
  std::string text =
      fmt::format("{}: {}, {} blocks, {:.1f} MiB\n", each.directory,
                  verified.damage.empty() ? "complete" : "damaged", verified.blocks, in_mib(verified.bytes));
  for (const SectionDamage& one : verified.damage) text += "  " + one.text + "\n";
  return text;
}

int run(const VerifyOptions& options, Console console) {
  AnyStorage files;
  const auto all = list_all(files, options.path);
  if (!all.ok()) return complain(all.error(), console);
  std::uint64_t bad = 0;
  Places read;
  Progress progress(total_of(*all), console.err);
  json::array array;
  for (const ListedCheckpoint& each : *all) {
    Verified verified;
    if (each.state == CheckpointState::kComplete) {
      auto done = read_all(files, each, read, progress);
      if (!done.ok()) return complain(done.error(), console);
      verified = std::move(done).value();
    }
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
    console.out << fmt::format("{} of {} damaged\n", bad, all->size());
  }
  return bad > 0 || all->empty() ? kExitFailed : kExitOk;
}

}  // namespace

void add_checkpoint_verify(CLI::App& group, Console console, int& exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      group.add_subcommand("verify", "Read checkpoints from end to end and name every damaged block");
  command->add_option("path", options->path, "A folder of checkpoints, or one checkpoint")->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "Exit code 0: all complete; 1: damage was found, or there is nothing to verify. A checkpoint that is\n"
      "unpublished (still being written, or given up) is named and is no damage.\n"
      "Example: capstan checkpoint verify out/movielens/checkpoints/ckpt-000007");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
