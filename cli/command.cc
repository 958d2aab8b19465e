#include "cli/command.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "cli/commands.h"
#include "cli/version.h"
#include "common/units.h"

namespace capstan {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failed while running; 2 the command line or the job file is wrong.\n"
    "`capstan COMMAND --help` says more.";

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// The chosen command's parser (of a group its chosen subcommand's), or the program's.
const CLI::App& chosen(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : chosen(*commands.front());
}

// "checkpoint ls"
std::string full_name(const CLI::App& command) {
  const CLI::App* group = command.get_parent();
  if (group == nullptr) return "";
  const std::string before = full_name(*group);
  return before.empty() ? command.get_name() : before + " " + command.get_name();
}

// The first word that should name a command and does not; empty when there is none.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments, std::size_t at) {
  const auto names = command_names(app);
  if (names.empty() || at >= arguments.size() || arguments[at].starts_with('-')) return "";
  if (std::find(names.begin(), names.end(), arguments[at]) == names.end()) {
    const std::string group = full_name(app);
    return fmt::format("unknown command '{}{}'{}", group.empty() ? "" : group + " ", arguments[at],
                       suggestion(arguments[at], names));
  }
  return unknown_command(*app.get_subcommand(arguments[at]), arguments, at + 1);
}

// "unknown option '--exlain' (did you mean '--explain'?)"; empty when every option is known.
std::string unknown_option(const CLI::App& command, const std::vector<std::string>& arguments) {
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    if (!name.starts_with("--") || std::find(known.begin(), known.end(), name) != known.end()) continue;
    return fmt::format("unknown option '{}'{}", name, suggestion(name, known));
  }
  return "";
}

int complain(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments,
             Console console) {
  const std::string unknown = unknown_option(chosen(app), arguments);
  console.err << fmt::format("capstan: {}\n", unknown.empty() ? error.what() : unknown);
  const std::string command = full_name(chosen(app));
  console.err << fmt::format("see capstan {}--help\n", command.empty() ? "" : command + " ");
  return kExitUsage;
}

}  // namespace

int complain(const Error& error, int code) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return code;
}

int run_command_line(const std::vector<std::string>& arguments, Console console) {
  CLI::App app(
      "Capstan: a parameter-server cluster that trains, evaluates and serves large recommender models.",
      "capstan");
  app.set_version_flag("--version", kVersion);
  app.footer(kExitCodes);
  app.require_subcommand(1);
  int exit_code = kExitOk;
  add_all_commands(app, console, exit_code);

  if (arguments.empty()) {
    console.err << app.help();
    return kExitUsage;
  }
  if (const std::string unknown = unknown_command(app, arguments, 0); !unknown.empty()) {
    console.err << fmt::format("capstan: {}\n", unknown);
    return kExitUsage;
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(),
                                       arguments.rend()));  // the parser takes them from the end
  } catch (const CLI::CallForHelp&) {
    console.out << app.help();
  } catch (const CLI::CallForVersion&) {
    console.out << "capstan " << kVersion << '\n';
  } catch (const CLI::ParseError& error) {
    return complain(app, error, arguments, console);
  }
  return exit_code;
}

}  // namespace capstan
