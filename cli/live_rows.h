// Rows of a running cluster, for commands.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "cli/wire_keys.h"
#include "common/hash.h"
#include "common/message.h"
#include "common/result.h"
#include "common/table_spec.h"

namespace capstan {

// Which running job a command talks to.
struct LiveTarget {
  std::string scheduler;  // endpoint
  std::string job_id;
  KeyArgs keys;
};
void add_live_target(CLI::App& command, LiveTarget& target);

struct LiveRow {
  Key key = 0;
  TableSpec spec;
  std::string owner;
  std::vector<std::byte> bytes;  // as stored; empty: no row yet
};

// Asks the owner of each key. kTimeout when the cluster does not answer within seconds, kNotFound for an
// unknown table.
Result<std::vector<LiveRow>> fetch_rows(const LiveTarget& target, const std::string& table,
                                        const std::vector<Key>& keys);
// The scheduler's status as JSON.
Result<std::string> fetch_status(const LiveTarget& target);
// What all nodes do for so long from now on. Its `error` names nodes that did not answer.
Result<TraceReply> fetch_trace(const LiveTarget& target, std::chrono::milliseconds time);
// The moves that follow from it, as JSON. kInvalid: the scheduler refuses, and says why.
Result<std::string> change_servers(const LiveTarget& target, const ChangeServers& wish);

}  // namespace capstan
