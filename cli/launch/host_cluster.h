// HostCluster: a job's scheduler, servers and workers on other hosts. The child of each is an ssh whose other
// end is a tether (cli/launch/tether.h): a node ends when its ssh does, or when it has heard nothing of this
// process for half a minute.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/job_cluster.h"
#include "cli/launch/host_check.h"
#include "cli/launch/host_list.h"
#include "cli/launch/log_merger.h"
#include "cli/launch/program_copy.h"
#include "cli/launch/ssh.h"
#include "cli/wire_keys.h"

namespace capstan {

struct LaunchPlan {
  std::vector<LaunchHost> hosts;
  std::string ssh;                  // the program and its options; empty: the usual ones
  std::string program = "capstan";  // on the hosts; as a shell reads it
  std::optional<ProgramCopy> copy;  // which is to be brought there first
  std::string folder;               // where it runs on all of them
  std::uint32_t http_port = 0;      // of the scheduler's page, the others' come after it; 0: none
  KeyArgs keys;                     // of this host; copied to the others
  std::FILE* follow = nullptr;      // where all logs are shown as they come
};

class HostCluster final : public JobCluster {
 public:
  // yaml: the effective job. Logs are gathered in work_dir/logs of this host: NAME.log, and all.log.
  HostCluster(const JobConfig& job, std::string yaml, std::vector<std::string> scheduler_args,
              LaunchPlan plan);
  ~HostCluster() override;

  // Brings the plan's program to every host, if it has one to bring.
  Status copy_program();
  // Looks at every host: kInvalid with all that keeps a node from running there. Warnings go to `warnings`.
  Status check(std::vector<std::string>& warnings);
  // Brings the job's file and the keys to where they are needed. REQUIRES: check() was well.
  Status bring();
  // What copy_program(), check(), bring() and start() would run, a line each.
  std::vector<std::string> dry_run();
  // The report that the scheduler wrote to its host's disk, if this host does not have it.
  Status fetch_report();
  // Ends what may be left of this job on the hosts, also by an earlier launcher that was killed. `told` gets
  // a line for each host that answers; the status tells of one that does not.
  Status stop_all(std::string& told);

  void tend() override;
  bool lost(const ChildProcess& child) const override;
  std::string whereabouts(const std::string& name) const override;

 private:
  struct Line;  // to a node's tether
  struct File {
    std::size_t host;
    std::string path, bytes;
    bool secret;
  };

  Room room_of(const std::string& name) const override;
  Result<ChildProcess> spawn(const std::string& name, std::vector<std::string> args,
                             ChildProcess::LogFile log_file) override;
  std::vector<std::string> listen_args() override;
  Result<std::string> written_endpoint() override;

  std::size_t host_of(const std::string& name) const;
  std::string in_folder(const std::string& line) const;
  std::string doctor_line(std::size_t host);
  std::string page_of(const std::string& name);  // HOST:PORT
  std::vector<std::string> pages_at(std::size_t host);
  std::string node_line(const std::string& name, const std::vector<std::string>& args);
  std::vector<std::string> common_args(const std::string& name);
  std::string write_line(const File& file) const;
  Result<std::vector<File>> files() const;
  std::string scheduler_bind() const;
  std::string endpoint_file() const { return job().work_dir + "/scheduler.endpoint"; }
  bool insecure_at(std::size_t host) const;
  std::uint32_t nodes_at(std::size_t host, std::string_view stem) const;
  std::vector<Ssh::Errand> on_all(const std::string& line, const std::string& what,
                                  std::string_view input = {}) const;
  std::string own_line(std::size_t host, const std::string& line) const;

  std::string yaml_;
  LaunchPlan plan_;
  Ssh ssh_;
  std::string scratch_;  // of this process: another one may stop the job meanwhile
  std::map<std::string, std::size_t> places_;
  std::vector<HostFacts> facts_;
  std::map<std::string, std::unique_ptr<Line>> lines_;
  std::optional<Ssh::Call> asks_endpoint_;
  std::optional<LogMerger> merger_;
  std::chrono::steady_clock::time_point beat_{};
};

}  // namespace capstan
