#include "cli/launch/launch.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/folder_lock.h"
#include "cli/held_signals.h"
#include "cli/job_watch.h"
#include "cli/launch/host_cluster.h"
#include "common/adapters/disk_files.h"
#include "common/endpoint_check.h"
#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

Result<std::vector<LaunchHost>> hosts_of(const LaunchArgs& args, const JobConfig& job) {
  if (!args.hosts_file.empty()) {
    const auto hosts = DiskFiles().read(args.hosts_file);
    if (hosts.ok()) return parse_hosts(hosts->text(), args.hosts_file);
    return make_error(ErrorCode::kInvalid,
                      hosts.error().message +
                          ": --hosts names a file with a line a host, such as `10.1.0.2 servers=1 workers=2` "
                          "(docs/HOSTS.md)");
  }
  if (job.cluster.hosts.empty()) {
    return make_error(ErrorCode::kInvalid,
                      "no hosts: name a file with one host a line (--hosts hosts.txt), or list them in "
                      "cluster.hosts");
  }
  return parse_hosts(join(job.cluster.hosts, "\n"), "cluster.hosts");
}

struct Launch {
  LoadedJob job;
  LaunchPlan plan;
};

// What hosts say of numbers of nodes is the job's.
Result<Launch> plan_of(const LaunchArgs& args) {
  Launch launch;
  CAPSTAN_ASSIGN(launch.job, load_job_file(args.job.path, args.job.overrides));
  CAPSTAN_ASSIGN(launch.plan.hosts, hosts_of(args, launch.job.config));
  auto overrides = args.job.overrides;
  if (const auto servers = servers_of(launch.plan.hosts); servers.has_value())
    overrides.push_back(fmt::format("cluster.servers={}", *servers));
  if (const auto workers = workers_of(launch.plan.hosts); workers.has_value())
    overrides.push_back(fmt::format("cluster.workers={}", *workers));
  CAPSTAN_ASSIGN(launch.job, load_job_file(args.job.path, overrides));
  LaunchPlan& plan = launch.plan;
  plan.ssh = args.ssh;
  if (!args.program.empty()) plan.program = shell_quoted(args.program);
  if (args.copy) {
    CAPSTAN_ASSIGN(plan.copy, ProgramCopy::make());
    plan.program = plan.copy->path();
  }
  plan.folder = args.folder.empty() ? std::filesystem::current_path().string() : args.folder;
  plan.http_port = args.http_port;
  const ClusterConfig& cluster = launch.job.config.cluster;
  CAPSTAN_TRY(
      check_ports_from(plan.http_port, std::uint64_t{1} + cluster.servers + cluster.workers).wrap("--http"));
  plan.keys = with_job(args.keys, cluster);
  if (args.follow) plan.follow = stdout;
  const bool far = std::any_of(plan.hosts.begin(), plan.hosts.end(),
                               [](const LaunchHost& host) { return !is_loopback(host.address + ":0"); });
  if (far && plan.keys.folder.empty() && !plan.keys.insecure) {
    return make_error(
        ErrorCode::kInvalid,
        "nodes on several hosts have neither keys nor leave to go without: set cluster.security to "
        "curve (keys are made and brought to the hosts), or on a network of your own "
        "cluster.insecure to true");
  }
  return launch;
}

void tell_placing(const JobConfig& job, const LaunchPlan& plan) {
  const auto places = place_nodes(plan.hosts, job.cluster.servers, job.cluster.workers);
  std::printf("job %s on %zu host%s; logs in %s/logs\n", job.name.c_str(), plan.hosts.size(),
              plan.hosts.size() == 1 ? "" : "s", job.work_dir.c_str());
  for (std::size_t host = 0; host < plan.hosts.size(); ++host) {
    std::vector<std::string> names;
    for (const auto& [name, place] : places) {
      if (place == host) names.push_back(name);
    }
    std::printf("  %s: %s\n", plan.hosts[host].address.c_str(),
                names.empty() ? "-" : join(names, ", ").c_str());
  }
  std::fflush(stdout);
}

int run_on_hosts(const LaunchArgs& args, Launch launch) {
  const JobConfig& job = launch.job.config;
  FileLock lock;
  const Status alone = lock_run(lock, job.work_dir);
  if (!alone.ok()) return complain(alone.error(), 1);
  auto security = own_security(launch.plan.keys);
  if (!security.ok()) return complain(security.error(), 2);
  HeldSignals held;
  HostCluster cluster(job, launch.job.effective_yaml,
                      args.resume ? std::vector<std::string>{"--resume"} : std::vector<std::string>{},
                      launch.plan);
  if (const Status copied = cluster.copy_program(); !copied.ok()) return complain(copied.error(), 1);
  std::vector<std::string> warnings;
  const Status fit = cluster.check(warnings);
  for (const std::string& warning : warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (!fit.ok()) return complain(fit.error(), 2);
  if (const Status brought = cluster.bring(); !brought.ok())
    return complain(brought.error(), brought.error().code == ErrorCode::kUnavailable ? 1 : 2);
  if (!args.quiet) tell_placing(job, launch.plan);
  const auto endpoint = cluster.start();
  if (!endpoint.ok()) {
    cluster.stop(5s);
    return complain(endpoint.error(), 1);
  }
  if (!args.quiet) {
    std::printf("scheduler at %s: capstan status --scheduler %s --job %s\n", endpoint->c_str(),
                endpoint->c_str(), job.name.c_str());
    std::fflush(stdout);
  }
  const int code = watch_job(job, cluster, *endpoint, held,
                             {args.quiet || args.follow, true, std::move(security).value()});
  if (code != 0) return code;
  const Status fetched = cluster.fetch_report();
  return fetched.ok() ? 0 : complain(fetched.error(), 1);
}

}  // namespace

int launch_job(const LaunchArgs& args) {
  auto launch = plan_of(args);
  if (!launch.ok()) return complain(launch.error(), 2);
  if (!args.dry_run) {
    const Status runs = Ssh(launch->plan.ssh).check_program();
    if (!runs.ok()) return complain(runs.error(), 2);
  }
  if (!args.dry_run && !args.stop) return run_on_hosts(args, std::move(launch).value());
  HostCluster cluster(launch->job.config, launch->job.effective_yaml, {}, launch->plan);
  std::string told;
  const Status stopped = args.stop ? cluster.stop_all(told) : ok_status();
  if (args.dry_run) told = join(cluster.dry_run(), "\n") + "\n";
  std::printf("%s", told.c_str());
  return stopped.ok() ? 0 : complain(stopped.error(), 1);
}

}  // namespace capstan
