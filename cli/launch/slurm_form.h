// A job as a batch script of Slurm: one allocation, a step for each role.
#pragma once

#include <string>

#include "common/config/job_config.h"

namespace capstan {

struct SlurmSettings {
  std::string job_file;  // the effective job, where all hosts of the allocation can read it
  std::string folder;    // where nodes run
  std::string program;   // as a shell reads it
  std::string keys;      // their folder; empty: nodes trust the cluster's network
  std::string scheduler_args;
};

// Servers and workers take their numbers from SLURM_PROCID. The batch ends with the scheduler, and with its
// exit code.
std::string slurm_form(const JobConfig& job, const SlurmSettings& settings);

}  // namespace capstan
