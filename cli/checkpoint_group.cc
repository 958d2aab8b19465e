// `capstan checkpoint`: what an operator does with the checkpoints of a folder.
#include "cli/checkpoint_commands.h"
#include "cli/commands.h"

namespace capstan {

void add_checkpoint(CLI::App& app, Console console, int& exit_code) {
  CLI::App* group =
      app.add_subcommand("checkpoint", "List, verify, compare and prune the checkpoints of a folder");
  group->require_subcommand(1);
  add_checkpoint_ls(*group, console, exit_code);
  add_checkpoint_verify(*group, console, exit_code);
  add_checkpoint_diff(*group, console, exit_code);
  add_checkpoint_prune(*group, console, exit_code);
  group->footer("Example: capstan checkpoint ls out/movielens/checkpoints");
}

}  // namespace capstan
