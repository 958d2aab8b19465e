// `capstan run`: the whole cluster of a job on this host, from start to the report.
#pragma once

#include <cstdint>
#include <string>

#include "cli/job_option.h"
#include "cli/wire_keys.h"

namespace capstan {

struct RunArgs {
  JobOption job;
  bool resume = false;
  std::string resume_from;  // a checkpoint's directory; empty: the newest
  bool quiet = false;
  std::uint32_t folds = 0;  // 0: the job's own split
  KeyArgs keys;
  std::string http;  // "HOST:PORT" of the scheduler's page; empty: none
};

// Gives the exit code: 0 the job ended well, 1 it did not, 2 the job file is wrong.
int run_job(const RunArgs& args);

}  // namespace capstan
