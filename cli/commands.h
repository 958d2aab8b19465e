// The explicit list of commands. One function a command: it adds its options to `app` and, when chosen, runs
// and sets `exit_code` (0 ok, 1 failed, 2 wrong arguments or job file).
#pragma once

#include <CLI/CLI.hpp>

namespace capstan {

void add_run(CLI::App& app, int& exit_code);
void add_roles(CLI::App& app, int& exit_code);  // scheduler, ps, worker

void add_all_commands(CLI::App& app, int& exit_code);

}  // namespace capstan
