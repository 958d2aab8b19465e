// The explicit list of commands. One function a command: it adds its options to `app` and, when chosen, runs
// and sets `exit_code` (see command.h).
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace capstan {

void add_run(CLI::App& app, int& exit_code);
void add_roles(CLI::App& app, int& exit_code);  // scheduler, ps, worker
void add_launch(CLI::App& app, Console console, int& exit_code);
void add_tether(CLI::App& app, Console console, int& exit_code);
void add_doctor(CLI::App& app, Console console, int& exit_code);
void add_check(CLI::App& app, Console console, int& exit_code);
void add_tune(CLI::App& app, Console console, int& exit_code);
void add_generate(CLI::App& app, Console console, int& exit_code);

void add_evaluate(CLI::App& app, Console console, int& exit_code);
void add_compare(CLI::App& app, Console console, int& exit_code);
void add_plot(CLI::App& app, Console console, int& exit_code);
void add_recommend(CLI::App& app, Console console, int& exit_code);
void add_get(CLI::App& app, Console console, int& exit_code);
void add_export(CLI::App& app, Console console, int& exit_code);
void add_checkpoint(CLI::App& app, Console console, int& exit_code);
void add_servers(CLI::App& app, Console console, int& exit_code);  // drain, scale
void add_status(CLI::App& app, Console console, int& exit_code);
void add_trace(CLI::App& app, Console console, int& exit_code);
void add_top(CLI::App& app, Console console, int& exit_code);
void add_keys(CLI::App& app, Console console, int& exit_code);
void add_completion(CLI::App& app, Console console, int& exit_code);
void add_man(CLI::App& app, Console console, int& exit_code);

void add_all_commands(CLI::App& app, Console console, int& exit_code);

}  // namespace capstan
