#include "cli/local_cluster.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/host_memory.h"
#include "common/text.h"

namespace capstan {
namespace {

// Half of what all processes of this host may use together, at least one.
std::uint32_t threads_each(const JobConfig& job) {
  if (job.cluster.threads > 0) return job.cluster.threads;
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::max(1U, cores / std::max(1U, job.cluster.workers));
}

std::uint64_t memory_each(const JobConfig& job) {
  if (job.cluster.memory_limit > 0) return job.cluster.memory_limit;
  return usual_memory_limit() / std::max(1U, job.cluster.servers);
}

}  // namespace

LocalCluster::LocalCluster(const JobConfig& job, std::string job_file,
                           std::vector<std::string> scheduler_args, ClusterArgs all)
    : JobCluster(job, std::move(job_file), std::move(scheduler_args), job.work_dir + "/logs"),
      all_(std::move(all)),
      endpoint_file_(job.work_dir + "/scheduler.endpoint") {}

JobCluster::Room LocalCluster::room_of(const std::string& /*name*/) const {
  return {threads_each(job()),
          memory_each(job()),
          {"--bind", fmt::format("tcp://{}:0", job().cluster.bind_host)}};
}

std::vector<std::string> LocalCluster::listen_args() {
  std::error_code error;
  std::filesystem::remove(endpoint_file_, error);
  return {"--endpoint-file", endpoint_file_};
}

Result<std::string> LocalCluster::written_endpoint() {
  std::ifstream in(endpoint_file_);
  std::string endpoint;
  std::getline(in, endpoint);
  return endpoint;
}

// The same for whoever takes a node's place.
std::vector<std::string> LocalCluster::http_args(const std::string& name) {
  if (all_.http.empty()) return {};
  const std::size_t colon = all_.http.rfind(':') + 1;
  const auto first = parse_uint(all_.http.substr(colon));
  const bool picks = !first.has_value() || *first == 0;
  return {"--http",
          picks ? all_.http : fmt::format("{}{}", all_.http.substr(0, colon), *first + number_of(name))};
}

Result<ChildProcess> LocalCluster::spawn(const std::string& name, std::vector<std::string> args,
                                         ChildProcess::LogFile log_file) {
  const auto http = http_args(name);
  args.insert(args.end(), http.begin(), http.end());
  if (!all_.keys.folder.empty()) args.insert(args.end(), {"--keys", all_.keys.folder});
  if (all_.keys.insecure && name.starts_with("ps-")) args.emplace_back("--insecure");
  return ChildProcess::start(name, args, log_path(name), log_file);
}

}  // namespace capstan
