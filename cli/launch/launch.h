// `capstan launch`: a job's cluster on several hosts, from start to the report; or as a batch script or
// manifests for those who start it.
#pragma once

#include <string>

#include "cli/job_option.h"
#include "cli/wire_keys.h"

namespace capstan {

struct LaunchArgs {
  JobOption job;
  std::string hosts_file;  // empty: the job's cluster.hosts
  std::string ssh;
  std::string program;  // on the hosts; empty: capstan
  std::string folder;   // on the hosts; empty: ours
  bool copy = false;    // this program to every host
  bool slurm = false, k8s = false;
  std::string image = "capstan";  // k8s
  bool dry_run = false, stop = false, resume = false, quiet = false, follow = false;
  std::uint32_t http_port = 0;
  KeyArgs keys;
};

// Gives the exit code: 0 the job ended well, 1 it did not, 2 the job, the hosts file or a host is at fault.
int launch_job(const LaunchArgs& args);

}  // namespace capstan
