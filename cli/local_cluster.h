// LocalCluster: a job's scheduler, servers and workers as processes of this host.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/child_process.h"
#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

class LocalCluster {
 public:
  // job_file: the effective job, written where every child can read it. Logs go to work_dir/logs.
  // scheduler_args: what its command gets beside.
  LocalCluster(const JobConfig& job, std::string job_file, std::vector<std::string> scheduler_args);

  // Starts the scheduler and waits until it listens; then servers and workers. Everything that was started is
  // stopped again when something does not.
  Result<std::string> start();
  // Children that ended since the last call.
  std::vector<ChildProcess*> newly_ended();
  // Asks all to end, and ends those that do not within `patience`.
  void stop(std::chrono::milliseconds patience);
  // Waits for all to end by themselves, then stops the rest.
  void wait(std::chrono::milliseconds patience);
  std::vector<ChildProcess>& children() { return children_; }
  const std::string& log_dir() const { return log_dir_; }

 private:
  Status start_child(const std::string& name, std::vector<std::string> args);
  Result<std::string> wait_for_endpoint(const std::string& file);
  bool all_ended();

  JobConfig job_;
  std::string job_file_;
  std::vector<std::string> scheduler_args_;
  std::string log_dir_;
  std::vector<ChildProcess> children_;
  std::vector<bool> reported_;
};

}  // namespace capstan
