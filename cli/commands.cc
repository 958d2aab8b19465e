#include "cli/commands.h"

#include "cli/lists/list_commands.h"

namespace capstan {

void add_all_commands(CLI::App& app, Console console, int& exit_code) {
  add_run(app, exit_code);
  add_tune(app, console, exit_code);
  add_launch(app, console, exit_code);
  add_check(app, console, exit_code);
  add_evaluate(app, console, exit_code);
  add_compare(app, console, exit_code);
  add_plot(app, console, exit_code);
  add_recommend(app, console, exit_code);
  add_rerank(app, console, exit_code);
  add_audit(app, console, exit_code);
  add_forget(app, console, exit_code);
  add_get(app, console, exit_code);
  add_export(app, console, exit_code);
  add_checkpoint(app, console, exit_code);
  add_status(app, console, exit_code);
  add_trace(app, console, exit_code);
  add_top(app, console, exit_code);
  add_servers(app, console, exit_code);
  add_generate(app, console, exit_code);
  add_roles(app, exit_code);
  add_tether(app, console, exit_code);
  add_keys(app, console, exit_code);
  add_doctor(app, console, exit_code);
  add_completion(app, console, exit_code);
  add_man(app, console, exit_code);
}

}  // namespace capstan
