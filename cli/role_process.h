// The three roles as processes: the production seams, one node, until the job ends or a signal comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/job_option.h"
#include "cli/wire_keys.h"
#include "common/log.h"

namespace capstan {

// What every role is told on its command line.
struct RoleArgs {
  std::string name;  // empty for servers and workers: the role, host and process
  std::string job_id;
  std::string scheduler;  // endpoint to connect to; several have commas between
  std::string bind;       // endpoint to listen on
  std::string log_file;   // empty: stderr
  KeyArgs keys;
  std::string http;  // "HOST:PORT" for metrics and health; empty: none
  LogLevel log_level = LogLevel::kInfo;
  std::uint32_t threads = 0;                     // 0: one a core
  std::uint64_t max_frame_bytes = 256ULL << 20;  // a scheduler's is its job's
  std::uint64_t startup_timeout_ms = 300'000;    // for the scheduler's first answer; 0: for ever
};

struct SchedulerArgs {
  JobOption job;
  std::string endpoint_file;  // written when the scheduler listens; empty: none
  bool resume = false;
  std::string resume_from;  // a checkpoint's directory; empty: the newest
  bool recover = false;
  bool rebuild = false;
  std::vector<std::string> without;  // rebuild: servers that are given up
};

struct ServerArgs {
  std::optional<std::uint64_t> memory_limit;  // bytes; 0: the job's alone; absent: a share of the host's
  std::string zone;
  std::string advertise;  // endpoint that others are told; empty: where it listens
};

// Each gives the process's exit code: 0 the job ended well, 1 it did not, 2 wrong arguments; of a scheduler
// also 3: another one leads, or may, and the job goes on.
int run_scheduler(const RoleArgs& role, const SchedulerArgs& args);
int run_server(const RoleArgs& args, const ServerArgs& server);
int run_worker(const RoleArgs& args);

}  // namespace capstan
