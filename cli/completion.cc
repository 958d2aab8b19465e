// `capstan completion bash`: a completion script made from the definitions of the commands.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "cli/commands.h"

namespace capstan {
namespace {

// The words that go on from a command stand in _capstan_words, those that an option takes in
// _capstan_values. What takes any value or a file is left to the shell, which offers files.
constexpr const char* kFunction = R"(
_capstan() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  local command=capstan longer words each i
  for ((i = 1; i < COMP_CWORD; i++)); do
    longer="$command ${COMP_WORDS[i]}"
    [[ -n "${_capstan_words["$longer"]+known}" ]] && command="$longer"
  done
  COMPREPLY=()
  if [[ "$before" == --* && -n "${_capstan_values["$command $before"]+known}" ]]; then
    words="${_capstan_values["$command $before"]}"
  else
    words="${_capstan_words["$command"]}"
  fi
  for each in $words; do
    [[ "$each" != "$word"* || ( "$each" == -* && "$word" != -* ) ]] || COMPREPLY+=("$each")
  done
}
complete -o bashdefault -o default -F _capstan capstan
)";

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// "npz tsv" of an option that takes one of these.
std::string choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto from = type.find('{'), to = type.rfind('}');
  if (from == std::string::npos || to == std::string::npos) return "";
  std::string words = type.substr(from + 1, to - from - 1);
  std::replace(words.begin(), words.end(), ',', ' ');
  return words;
}

// The lines of both arrays for a command and those below it.
void add_lines(const CLI::App& app, const std::string& command, std::string& words, std::string& values) {
  std::string next;
  for (const CLI::App* below : commands_of(app)) next += below->get_name() + " ";
  for (const CLI::Option* option : app.get_options()) {
    const std::string choices = choices_of(*option);
    if (option->get_positional()) next += choices.empty() ? "" : choices + " ";
    for (const std::string& name : option->get_lnames()) {
      next += "--" + name + " ";
      if (option->get_items_expected_max() > 0)
        values += fmt::format("  [\"{} --{}\"]=\"{}\"\n", command, name, choices);
    }
  }
  words += fmt::format("  [\"{}\"]=\"{}\"\n", command, next);
  for (const CLI::App* below : commands_of(app))
    add_lines(*below, command + " " + below->get_name(), words, values);
}

std::string bash_completion(const CLI::App& app) {
  std::string words, values;
  add_lines(app, app.get_name(), words, values);
  return fmt::format(
      "# bash completion for capstan, made by `capstan completion bash`\ndeclare -gA _capstan_words=(\n{})\n"
      "declare -gA _capstan_values=(\n{}){}",
      words, values, kFunction);
}

}  // namespace

void add_completion(CLI::App& app, Console console, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a script that completes command lines");
  command->add_option("shell", *shell, "The shell: bash")->required()->check(CLI::IsMember({"bash"}));
  command->footer("Example: source <(capstan completion bash)");
  command->callback([&app, shell, console, &exit_code] {
    console.out << bash_completion(app);
    exit_code = kExitOk;
  });
}

}  // namespace capstan
