#include "cli/commands.h"

namespace capstan {

void add_all_commands(CLI::App& app, int& exit_code) {
  add_run(app, exit_code);
  add_roles(app, exit_code);
}

}  // namespace capstan
