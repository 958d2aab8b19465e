#include "cli/commands.h"
#include "cli/version.h"

int main(int argc, char** argv) {
  CLI::App app(
      "capstan: a parameter-server cluster that trains, evaluates and serves large recommender models");
  app.set_version_flag("--version", capstan::kVersion);
  app.require_subcommand(1);
  int exit_code = 0;
  capstan::add_all_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return exit_code;
}
