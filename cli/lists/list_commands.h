// Commands about the lists of a finished job: re-ranked, audited, and without one user. See cli/commands.h.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/offline_job.h"
#include "worker/rerank/chain.h"

namespace capstan {

void add_rerank(CLI::App& app, Console console, int& exit_code);
void add_audit(CLI::App& app, Console console, int& exit_code);
void add_forget(CLI::App& app, Console console, int& exit_code);

// The steps as written on a command line, with the categories of the columns that they name.
Result<Reranking> read_reranking(const std::vector<std::string>& steps, std::uint32_t pool,
                                 const JobConfig& job, const Dataset& data);

// Writes what `capstan rerank` and `capstan audit` found, readable by people and programs.
Status write_list_report(const std::string& path, const std::string& json);

}  // namespace capstan
