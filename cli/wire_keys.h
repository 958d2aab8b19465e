// The keys that a process talks with: --keys or CAPSTAN_KEYS, or the job's own folder.
#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>

#include "common/adapters/wire_security.h"
#include "common/config/job_config.h"
#include "common/log.h"
#include "common/metrics.h"

namespace capstan {

struct KeyArgs {
  std::string folder;     // empty: no Curve
  bool insecure = false;  // without keys: listen beyond loopback all the same
};

void add_keys_option(CLI::App& command, KeyArgs& keys);
void add_insecure_option(CLI::App& command, KeyArgs& keys);

// What the command line does not say, the job does.
KeyArgs with_job(KeyArgs keys, const ClusterConfig& cluster);

// A key for each role, and one for checkpoints, in a folder that has none yet. kIo, kNoSpace.
Status make_missing_keys(const std::string& folder);

// Those files of a folder of keys that a node of this role needs: the list of all, the role's secret and, of
// who keeps checkpoints, the key to them, which not every folder has.
std::set<std::string> key_files_of(Role role);

// kNotFound, kInvalid with a remedy. `log` outlives the transport that is given these.
Result<SecurityOptions> security_of(const KeyArgs& keys, Role role, const std::string& name, const Log* log);

// Of a command, which says on stderr what a person should know.
Result<SecurityOptions> tool_security(const KeyArgs& keys);
// The same of one that starts a cluster: it makes the keys that are not there.
Result<SecurityOptions> own_security(const KeyArgs& keys);

void add_metrics(const SecurityCounters& counters, Metrics& out);

// An error about a scheduler that does not answer: what refuses us, if anything does, in the place of the
// question whether it runs.
std::string with_refusal(const std::string& text, const std::string& refusal);

}  // namespace capstan
