#include "cli/local_cluster.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/held_signals.h"
#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kPoll = 10ms;

// Half of what all processes of this host may use together, at least one.
std::uint32_t threads_each(const JobConfig& job) {
  if (job.cluster.threads > 0) return job.cluster.threads;
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::max(1U, cores / std::max(1U, job.cluster.workers));
}

std::uint64_t memory_each(const JobConfig& job) {
  if (job.cluster.memory_limit > 0) return job.cluster.memory_limit;
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
  return pages * page / 10 * 8 / std::max(1U, job.cluster.servers);
}

}  // namespace

LocalCluster::LocalCluster(const JobConfig& job, std::string job_file,
                           std::vector<std::string> scheduler_args, ClusterArgs all)
    : job_(job),
      job_file_(std::move(job_file)),
      scheduler_args_(std::move(scheduler_args)),
      log_dir_(job.work_dir + "/logs"),
      all_(std::move(all)) {}

Result<std::string> LocalCluster::start() {
  std::error_code error;
  std::filesystem::create_directories(log_dir_, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("create {}: {}", log_dir_, error.message()));
  const std::string endpoint_file = job_.work_dir + "/scheduler.endpoint";
  std::filesystem::remove(endpoint_file, error);
  std::vector<std::string> scheduler = {"scheduler", job_file_, "--endpoint-file", endpoint_file};
  scheduler.insert(scheduler.end(), scheduler_args_.begin(), scheduler_args_.end());
  CAPSTAN_TRY(start_child("scheduler", scheduler));
  CAPSTAN_ASSIGN(endpoint_, wait_for_endpoint(endpoint_file));
  for (std::uint32_t i = 0; i < job_.cluster.servers; ++i) CAPSTAN_TRY(start_server());
  for (std::uint32_t i = 0; i < job_.cluster.workers; ++i) {
    const std::string name = fmt::format("worker-{}", i);
    CAPSTAN_TRY(start_child(name, role_args("worker", name)));
  }
  return endpoint_;
}

std::vector<std::string> LocalCluster::role_args(const std::string& role, const std::string& name) const {
  return {role,
          "--scheduler",
          endpoint_,
          "--job",
          job_.name,
          "--name",
          name,
          "--threads",
          std::to_string(threads_each(job_)),
          "--max-frame-bytes",
          std::to_string(job_.cluster.max_frame_bytes)};
}

std::vector<std::string> LocalCluster::server_args(const std::string& name) const {
  auto args = role_args("ps", name);
  args.insert(args.end(), {"--bind", fmt::format("tcp://{}:0", job_.cluster.bind_host), "--memory-limit",
                           std::to_string(memory_each(job_))});
  return args;
}

Status LocalCluster::start_server() {
  const std::string name = fmt::format("ps-{}", servers_started_++);
  return start_child(name, server_args(name));
}

Status LocalCluster::replace(const ChildProcess& killed) {
  const std::string& name = killed.name();
  const auto args = name == "scheduler"
                        ? std::vector<std::string>{"scheduler", job_file_, "--recover", "--bind", endpoint_}
                        : server_args(name);
  return start_child(name, args, ChildProcess::LogFile::kGoesOn);
}

// The same for whoever takes a node's place.
std::vector<std::string> LocalCluster::http_args(const std::string& name) {
  if (all_.http.empty()) return {};
  const auto own = http_ports_.emplace(name, http_ports_.size()).first->second;
  const std::size_t colon = all_.http.rfind(':') + 1;
  const auto first = parse_uint(all_.http.substr(colon));
  const bool picks = !first.has_value() || *first == 0;
  return {"--http", picks ? all_.http : fmt::format("{}{}", all_.http.substr(0, colon), *first + own)};
}

Status LocalCluster::start_child(const std::string& name, std::vector<std::string> args,
                                 ChildProcess::LogFile log_file) {
  const auto http = http_args(name);
  args.insert(args.end(), http.begin(), http.end());
  if (!all_.keys.folder.empty()) args.insert(args.end(), {"--keys", all_.keys.folder});
  if (all_.keys.insecure && name.starts_with("ps-")) args.push_back("--insecure");
  CAPSTAN_ASSIGN(ChildProcess child,
                 ChildProcess::start(name, args, fmt::format("{}/{}.log", log_dir_, name), log_file));
  children_.push_back(std::move(child));
  reported_.push_back(false);
  return ok_status();
}

Result<std::string> LocalCluster::wait_for_endpoint(const std::string& file) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(job_.cluster.startup_timeout_ms);
  while (Clock::now() < deadline) {
    std::ifstream in(file);
    if (std::string endpoint; std::getline(in, endpoint) && !endpoint.empty()) return endpoint;
    if (HeldSignals::take()) {
      return make_error(ErrorCode::kUnavailable, "stopped by Ctrl-C while the scheduler started");
    }
    if (const auto ended = children_.front().ended()) {
      return make_error(ErrorCode::kUnavailable, fmt::format("the scheduler did not start ({}):\n{}", *ended,
                                                             children_.front().log_tail(20)));
    }
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout,
                    "the scheduler did not start in time; see " + log_dir_ + "/scheduler.log");
}

std::vector<ChildProcess*> LocalCluster::newly_ended() {
  std::vector<ChildProcess*> ended;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (reported_[i] || !children_[i].ended()) continue;
    reported_[i] = true;
    ended.push_back(&children_[i]);
  }
  return ended;
}

bool LocalCluster::all_ended() {
  bool all = true;
  for (auto& child : children_) all = !child.running() && all;
  return all;
}

void LocalCluster::wait(std::chrono::milliseconds patience, std::chrono::milliseconds stop_patience) {
  const auto deadline = Clock::now() + patience;
  while (!all_ended() && Clock::now() < deadline) std::this_thread::sleep_for(kPoll);
  if (!all_ended()) stop(stop_patience);
}

void LocalCluster::stop(std::chrono::milliseconds patience) {
  for (auto& child : children_) child.signal(SIGTERM);
  const auto deadline = Clock::now() + patience;
  while (!all_ended() && Clock::now() < deadline) std::this_thread::sleep_for(kPoll);
  for (auto& child : children_) child.signal(SIGKILL);
  while (!all_ended()) std::this_thread::sleep_for(kPoll);
}

}  // namespace capstan
