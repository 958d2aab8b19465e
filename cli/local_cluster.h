// LocalCluster: a job's scheduler, servers and workers as processes of this host.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "cli/child_process.h"
#include "cli/wire_keys.h"
#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

// What all processes are told.
struct ClusterArgs {
  // "HOST:PORT" of the scheduler's page, those of the others have the ports after it; empty: none.
  std::string http;
  KeyArgs keys;
};

class LocalCluster {
 public:
  // job_file: the effective job, written where every child can read it. Logs go to work_dir/logs.
  // scheduler_args: what its command gets beside.
  LocalCluster(const JobConfig& job, std::string job_file, std::vector<std::string> scheduler_args,
               ClusterArgs all);

  // Starts the scheduler and waits until it listens; then servers and workers. Everything that was started is
  // stopped again when something does not.
  Result<std::string> start();
  // One server more than there were; it joins the running job. REQUIRES: start() was well.
  Status start_server();
  // Another process in the place of one that was killed: a scheduler goes on from the journal at its former
  // address, a server holds nothing yet.
  Status replace(const ChildProcess& killed);
  // Beyond those of the job file.
  std::uint32_t servers_added() const { return servers_started_ - job_.cluster.servers; }
  // Children that ended since the last call.
  std::vector<ChildProcess*> newly_ended();
  // Asks all to end, and ends those that do not within `patience`.
  void stop(std::chrono::milliseconds patience);
  // Waits for all to end by themselves, then stops the rest with `stop_patience`.
  void wait(std::chrono::milliseconds patience, std::chrono::milliseconds stop_patience);
  std::deque<ChildProcess>& children() { return children_; }
  const std::string& log_dir() const { return log_dir_; }

 private:
  std::vector<std::string> http_args(const std::string& name);
  std::vector<std::string> server_args(const std::string& name) const;
  std::vector<std::string> role_args(const std::string& role, const std::string& name) const;
  Status start_child(const std::string& name, std::vector<std::string> args,
                     ChildProcess::LogFile log_file = ChildProcess::LogFile::kNew);
  Result<std::string> wait_for_endpoint(const std::string& file);
  bool all_ended();

  JobConfig job_;
  std::string job_file_;
  std::vector<std::string> scheduler_args_;
  std::string log_dir_;
  std::string endpoint_;
  ClusterArgs all_;
  std::map<std::string, std::uint32_t> http_ports_;  // by node, behind the scheduler's
  std::uint32_t servers_started_ = 0;
  std::deque<ChildProcess> children_;  // a new one moves none of the others
  std::vector<bool> reported_;
};

}  // namespace capstan
