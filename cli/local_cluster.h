// LocalCluster: a job's scheduler, servers and workers as processes of this host.
#pragma once

#include <string>
#include <vector>

#include "cli/job_cluster.h"
#include "cli/wire_keys.h"

namespace capstan {

// What all processes are told.
struct ClusterArgs {
  // "HOST:PORT" of the scheduler's page, those of the others have the ports after it; empty: none.
  std::string http;
  KeyArgs keys;
};

// Logs go to work_dir/logs.
class LocalCluster final : public JobCluster {
 public:
  // job_file: written where every child can read it.
  LocalCluster(const JobConfig& job, std::string job_file, std::vector<std::string> scheduler_args,
               ClusterArgs all);

 private:
  Room room_of(const std::string& name) const override;
  Result<ChildProcess> spawn(const std::string& name, std::vector<std::string> args,
                             ChildProcess::LogFile log_file) override;
  std::vector<std::string> listen_args() override;
  Result<std::string> written_endpoint() override;
  std::vector<std::string> http_args(const std::string& name);

  ClusterArgs all_;
  std::string endpoint_file_;
};

}  // namespace capstan
