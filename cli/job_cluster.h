// JobCluster: a job's scheduler, servers and workers, started and kept by one process, which has a child for
// each: the node itself (LocalCluster), or what leads to it (HostCluster).
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/child_process.h"
#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

class JobCluster {
 public:
  virtual ~JobCluster() = default;
  JobCluster(const JobCluster&) = delete;
  JobCluster& operator=(const JobCluster&) = delete;

  // Starts the scheduler and waits until it listens; then servers and workers. Gives its address. An error
  // leaves what was started to stop().
  Result<std::string> start();
  // One server more than there were; it joins the running job. REQUIRES: start() was well.
  Status start_server();
  // Another process in the place of one that was lost: a scheduler goes on from the journal at its former
  // address, a server holds nothing yet.
  Status replace(const std::string& name);
  // Beyond those of the job file.
  std::uint32_t servers_added() const { return servers_started_ - job_.cluster.servers; }
  // Children that ended since the last call.
  std::vector<ChildProcess*> newly_ended();
  // Asks all to end, and ends those that do not within `patience`.
  void stop(std::chrono::milliseconds patience);
  // Waits for all to end by themselves, then stops the rest with `stop_patience`.
  void wait(std::chrono::milliseconds patience, std::chrono::milliseconds stop_patience);
  const std::string& log_dir() const { return log_dir_; }

  // Several times a second while anything runs.
  virtual void tend() {}
  // What every node would be told if the scheduler were at `endpoint`.
  std::vector<std::pair<std::string, std::vector<std::string>>> planned(const std::string& endpoint);

  // Whether the node did not end by its own will, and another one may take its place.
  virtual bool lost(const ChildProcess& child) const { return child.killed(); }
  // Where the node runs, for people: " on 10.1.0.2"; empty: here.
  virtual std::string whereabouts(const std::string& /*name*/) const { return ""; }

 protected:
  // job_file: the effective job, where the scheduler can read it. scheduler_args: what its command gets
  // beside.
  JobCluster(const JobConfig& job, std::string job_file, std::vector<std::string> scheduler_args,
             std::string log_dir);

  // What a node is told that depends on where it runs.
  struct Room {
    std::uint32_t threads = 1;
    std::uint64_t memory_limit = 0;
    std::vector<std::string> server_args;  // its --bind and the like
  };
  virtual Room room_of(const std::string& name) const = 0;
  virtual Result<ChildProcess> spawn(const std::string& name, std::vector<std::string> args,
                                     ChildProcess::LogFile log_file) = 0;
  // The args of the scheduler's first start beside the job file, and the address that it has written by now;
  // empty: none yet.
  virtual std::vector<std::string> listen_args() = 0;
  virtual Result<std::string> written_endpoint() = 0;

  const JobConfig& job() const { return job_; }
  std::string log_path(const std::string& name) const;
  // In the order in which nodes were first named, the scheduler 0; whoever takes a node's place has its.
  std::uint32_t number_of(const std::string& name);

 private:
  std::vector<std::string> first_scheduler_args();
  std::vector<std::string> member_args(const std::string& role, const std::string& name) const;
  Status start_child(const std::string& name, ChildProcess::LogFile log_file = ChildProcess::LogFile::kNew);
  Status add_child(const std::string& name, std::vector<std::string> args, ChildProcess::LogFile log_file);
  Result<std::string> wait_for_endpoint();
  bool all_ended();

  JobConfig job_;
  std::string job_file_;
  std::vector<std::string> scheduler_args_;
  std::string log_dir_;
  std::string endpoint_;
  std::uint32_t servers_started_ = 0;
  std::map<std::string, std::uint32_t> numbers_;
  std::deque<ChildProcess> children_;  // a new one moves none of the others
  std::vector<bool> reported_;
};

}  // namespace capstan
