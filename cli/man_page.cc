// `capstan man`: the manual page, made from the definitions of the commands.
#include <spdlog/fmt/fmt.h>

#include <ostream>
#include <sstream>

#include "cli/commands.h"
#include "cli/version.h"

namespace capstan {
namespace {

// Text as roff takes it: nothing in it is a request or an escape, and a minus is one that can be copied.
std::string roff(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char letter : text) {
    if (line_begins && (letter == '.' || letter == '\'')) escaped += "\\&";
    line_begins = letter == '\n';
    if (letter == '\\') {
      escaped += "\\e";
    } else if (letter == '-') {
      escaped += "\\-";
    } else {
      escaped += letter;
    }
  }
  return escaped;
}

// "DURATION" of "UINT:DURATION": what is asked for says more than how it is kept.
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(type.find(':') + 1);
}

// "--bind TEXT", "job", "keys ..."
std::string form(const CLI::Option& option) {
  std::string text = option.get_name(option.get_positional(), !option.get_positional());
  if (!option.get_positional() && option.get_items_expected_max() > 0) text += " " + value_name(option);
  if (option.get_positional() && option.get_items_expected_max() > 1) text += " ...";
  return text;
}

std::string usage(const CLI::App& command, const std::string& name) {
  std::string text = name;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    text += option->get_required() ? " " + form(*option) : " [" + form(*option) + "]";
  }
  return text;
}

std::string option_paragraph(const CLI::Option& option) {
  std::string text = option.get_description();
  if (!option.get_default_str().empty()) text += fmt::format(" (default: {})", option.get_default_str());
  if (option.get_required() && !option.get_positional()) text += " (required)";
  return fmt::format(".TP\n.B {}\n{}\n", roff(form(option)), roff(text));
}

void describe(const CLI::App& app, const std::string& name, std::ostream& out) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string full = name + " " + command->get_name();
    out << fmt::format(".SS \"{}\"\n{}.\n", roff(usage(*command, full)), roff(command->get_description()));
    for (const CLI::Option* option : command->get_options()) {
      if (option != command->get_help_ptr()) out << option_paragraph(*option);
    }
    // A command without one has its parent's.
    if (const std::string footer = command->get_footer(); footer != app.get_footer()) {
      out << fmt::format(".PP\n.nf\n{}\n.fi\n", roff(footer));
    }
    describe(*command, full, out);
  }
}

std::string man_page(const CLI::App& app) {
  std::ostringstream out;
  out << fmt::format(".TH CAPSTAN 1 \"\" \"capstan {0}\" \"User Commands\"\n", kVersion)
      << ".SH NAME\ncapstan \\- train recommender models on a parameter\\-server cluster\n"
      << ".SH SYNOPSIS\n.B capstan\n.I COMMAND\n.RI [ ARGUMENT ...]\n"
      << fmt::format(".SH DESCRIPTION\n{}\n", roff(app.get_description())) << ".SH COMMANDS\n";
  describe(app, app.get_name(), out);
  out << fmt::format(".SH EXIT STATUS\n.nf\n{}\n.fi\n", roff(app.get_footer()));
  return out.str();
}

}  // namespace

void add_man(CLI::App& app, Console console, int& exit_code) {
  CLI::App* command = app.add_subcommand("man", "Print the manual page (roff)");
  command->footer("Example: capstan man | man --local-file -");
  command->callback([&app, console, &exit_code] {
    console.out << man_page(app);
    exit_code = kExitOk;
  });
}

}  // namespace capstan
