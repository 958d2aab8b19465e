// The subcommands of `capstan checkpoint`, a function each.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace capstan {

void add_checkpoint_ls(CLI::App& group, Console console, int& exit_code);
void add_checkpoint_verify(CLI::App& group, Console console, int& exit_code);
void add_checkpoint_diff(CLI::App& group, Console console, int& exit_code);
void add_checkpoint_prune(CLI::App& group, Console console, int& exit_code);

}  // namespace capstan
