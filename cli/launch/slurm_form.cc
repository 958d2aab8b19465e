#include "cli/launch/slurm_form.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "cli/launch/ssh.h"

namespace capstan {
namespace {

constexpr unsigned kUsualPort = 7000;

std::string port_of(const JobConfig& job) {
  const std::string port = job.cluster.scheduler.substr(job.cluster.scheduler.rfind(':') + 1);
  return port == "0" ? std::to_string(kUsualPort) : port;
}

std::string security_of(const SlurmSettings& settings, bool listens) {
  if (!settings.keys.empty()) return " --keys " + shell_quoted(settings.keys);
  return listens ? " --insecure" : "";
}

}  // namespace

std::string slurm_form(const JobConfig& job, const SlurmSettings& settings) {
  const ClusterConfig& cluster = job.cluster;
  const std::string member = fmt::format(
      "--scheduler \"tcp://$head:{}\" --job {} --max-frame-bytes {}{}", port_of(job), shell_quoted(job.name),
      cluster.max_frame_bytes, cluster.threads > 0 ? fmt::format(" --threads {}", cluster.threads) : "");
  const std::string memory =
      cluster.memory_limit > 0 ? fmt::format(" --memory-limit {}", cluster.memory_limit) : "";
  return fmt::format(
      R"form(#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --ntasks={tasks}
#SBATCH --cpus-per-task={cpus}
#SBATCH --output={work}/logs/slurm-%j.log
# The scheduler, {servers} servers and {workers} workers of job {name}. Steps get their numbers from Slurm.
set -u
cd {folder}
step="srun --exact --kill-on-bad-exit=0 --cpus-per-task={cpus}"
head="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)"
$step --nodes=1 --nodelist="$head" --ntasks=1 \
  {program} scheduler {file} --bind tcp://0.0.0.0:{port}{listens}{more} &
scheduler=$!
$step --ntasks={servers} {program} ps {member} --bind tcp://0.0.0.0:0{memory}{listens} &
$step --ntasks={workers} {program} worker {member}{keys} &
wait "$scheduler"
code=$?
for each in $(jobs -p); do kill "$each" 2>/dev/null; done
wait
exit "$code"
)form",
      fmt::arg("name", job.name), fmt::arg("tasks", 1 + cluster.servers + cluster.workers),
      fmt::arg("cpus", std::max(1U, cluster.threads)), fmt::arg("work", job.work_dir),
      fmt::arg("servers", cluster.servers), fmt::arg("workers", cluster.workers),
      fmt::arg("folder", shell_quoted(settings.folder)), fmt::arg("program", settings.program),
      fmt::arg("file", shell_quoted(settings.job_file)), fmt::arg("port", port_of(job)),
      fmt::arg("listens", security_of(settings, true)), fmt::arg("keys", security_of(settings, false)),
      fmt::arg("more", settings.scheduler_args), fmt::arg("member", member), fmt::arg("memory", memory));
}

}  // namespace capstan
