// `capstan drain` and `capstan scale`: servers leave and join a running job.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <charconv>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/live_rows.h"
#include "cli/offline_job.h"
#include "common/units.h"

namespace capstan {
namespace {

namespace json = boost::json;

struct ServersOptions {
  LiveTarget live;
  std::string name, servers;
  bool dry_run = false;
};

std::string mebibytes(const json::value& bytes) {
  return fmt::format("{:.1f}MiB", in_mib(bytes.to_number<std::uint64_t>()));
}

// What the scheduler says will move where.
void show_plan(const std::string& text, std::ostream& out) {
  const json::object plan = json::parse(text).as_object();
  const json::array& moves = plan.at("moves").as_array();
  if (!moves.empty()) out << fmt::format("{:>6} {:>10}  {:14} {}\n", "shard", "memory", "from", "to");
  for (const json::value& value : moves) {
    const json::object& move = value.as_object();
    out << fmt::format("{:>6} {:>10}  {:14} {}\n", move.at("shard").to_number<std::uint64_t>(),
                       mebibytes(move.at("bytes")), std::string(move.at("from").as_string()),
                       std::string(move.at("to").as_string()));
  }
  out << fmt::format("{}{} moves, about {}{}\n", plan.at("more").as_bool() ? "the first " : "", moves.size(),
                     mebibytes(plan.at("bytes")), plan.at("more").as_bool() ? "; more follow" : "");
  const json::value* note = plan.if_contains("note");  // an older scheduler says none
  if (note != nullptr && !note->as_string().empty()) {
    out << fmt::format("note: {}\n", std::string(note->as_string()));
  }
}

int change(const ServersOptions& options, const ChangeServers& wish, const std::string& what_follows,
           Console console) {
  const auto plan = change_servers(options.live, wish);
  if (!plan.ok()) return complain(plan.error(), console);
  show_plan(*plan, console.out);
  if (!wish.dry_run) console.out << what_follows << "\n";
  return kExitOk;
}

int drain(const ServersOptions& options, Console console) {
  if (options.name.empty()) {
    console.err << "say which server: its name, as in `capstan status`\n";
    return kExitUsage;
  }
  const std::string follows = fmt::format(
      "{} gives its shards away while the job goes on, and ends when it holds none; `capstan status` shows "
      "how far it is",
      options.name);
  return change(options, {options.name, 0, options.dry_run}, follows, console);
}

int scale(const ServersOptions& options, Console console) {
  std::uint32_t count = 0;
  const std::string& text = options.servers;
  const auto parsed = std::from_chars(text.data() + 1, text.data() + text.size(), count);
  const bool plus = text.starts_with('+') && parsed.ec == std::errc() &&
                    parsed.ptr == text.data() + text.size() && count > 0;
  if (!plus) {
    console.err << fmt::format(
        "--servers {}: say how many more, as in +1. To take one away, name it: capstan drain ps-3\n", text);
    return kExitUsage;
  }
  return change(options, {"", count, options.dry_run},
                "`capstan run` starts them; of a cluster that was started by hand, start `capstan ps` "
                "yourself: it joins by itself",
                console);
}

ServersOptions& add_options(CLI::App& command, const std::shared_ptr<ServersOptions>& options) {
  add_live_target(command, options->live);
  command.get_option("--scheduler")->required();
  command.get_option("--job")->required();
  command.add_flag("--dry-run", options->dry_run, "Only show which shards would move");
  return *options;
}

}  // namespace

void add_servers(CLI::App& app, Console console, int& exit_code) {
  auto drained = std::make_shared<ServersOptions>();
  CLI::App* drain_command =
      app.add_subcommand("drain", "Empty a server of a running job, so that it can be taken away");
  add_options(*drain_command, drained);
  drain_command->add_option("server", drained->name, "Its name, as in `capstan status`")->required();
  drain_command->footer("Example: capstan drain ps-3 --scheduler tcp://127.0.0.1:7000 --job movielens");
  drain_command->callback([drained, console, &exit_code] { exit_code = drain(*drained, console); });

  auto scaled = std::make_shared<ServersOptions>();
  CLI::App* scale_command = app.add_subcommand("scale", "Give a running job more servers");
  add_options(*scale_command, scaled);
  scale_command->add_option("--servers", scaled->servers, "How many more: +1")->required();
  scale_command->footer(
      "Example: capstan scale --servers +1 --scheduler tcp://127.0.0.1:7000 --job movielens");
  scale_command->callback([scaled, console, &exit_code] { exit_code = scale(*scaled, console); });
}

}  // namespace capstan
