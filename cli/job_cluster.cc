#include "cli/job_cluster.h"

#include <spdlog/fmt/fmt.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/held_signals.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kPoll = 10ms;

}  // namespace

JobCluster::JobCluster(const JobConfig& job, std::string job_file, std::vector<std::string> scheduler_args,
                       std::string log_dir)
    : job_(job),
      job_file_(std::move(job_file)),
      scheduler_args_(std::move(scheduler_args)),
      log_dir_(std::move(log_dir)) {}

std::string JobCluster::log_path(const std::string& name) const {
  return fmt::format("{}/{}.log", log_dir_, name);
}

std::uint32_t JobCluster::number_of(const std::string& name) {
  return numbers_.emplace(name, static_cast<std::uint32_t>(numbers_.size())).first->second;
}

Result<std::string> JobCluster::start() {
  std::error_code error;
  std::filesystem::create_directories(log_dir_, error);
  if (error) return make_error(ErrorCode::kIo, fmt::format("create {}: {}", log_dir_, error.message()));
  CAPSTAN_TRY(add_child("scheduler", first_scheduler_args(), ChildProcess::LogFile::kNew));
  CAPSTAN_ASSIGN(endpoint_, wait_for_endpoint());
  for (std::uint32_t i = 0; i < job_.cluster.servers; ++i) CAPSTAN_TRY(start_server());
  for (std::uint32_t i = 0; i < job_.cluster.workers; ++i)
    CAPSTAN_TRY(start_child(fmt::format("worker-{}", i)));
  return endpoint_;
}

std::vector<std::string> JobCluster::first_scheduler_args() {
  std::vector<std::string> args = {"scheduler", job_file_};
  for (std::string& each : listen_args()) args.push_back(std::move(each));
  args.insert(args.end(), scheduler_args_.begin(), scheduler_args_.end());
  return args;
}

std::vector<std::pair<std::string, std::vector<std::string>>> JobCluster::planned(
    const std::string& endpoint) {
  endpoint_ = endpoint;
  std::vector<std::pair<std::string, std::vector<std::string>>> nodes;
  nodes.emplace_back("scheduler", first_scheduler_args());
  const auto add = [&](const char* role, const std::string& name) {
    nodes.emplace_back(name, member_args(role, name));
  };
  for (std::uint32_t n = 0; n < job_.cluster.servers; ++n) add("ps", fmt::format("ps-{}", n));
  for (std::uint32_t n = 0; n < job_.cluster.workers; ++n) add("worker", fmt::format("worker-{}", n));
  return nodes;
}

std::vector<std::string> JobCluster::member_args(const std::string& role, const std::string& name) const {
  const Room room = room_of(name);
  std::vector<std::string> args = {role,
                                   "--scheduler",
                                   endpoint_,
                                   "--job",
                                   job_.name,
                                   "--name",
                                   name,
                                   "--threads",
                                   std::to_string(room.threads),
                                   "--max-frame-bytes",
                                   std::to_string(job_.cluster.max_frame_bytes)};
  if (role != "ps") return args;
  args.insert(args.end(), {"--memory-limit", std::to_string(room.memory_limit)});
  args.insert(args.end(), room.server_args.begin(), room.server_args.end());
  return args;
}

Status JobCluster::start_server() {
  return start_child(fmt::format("ps-{}", servers_started_++));
}

Status JobCluster::replace(const std::string& name) {
  if (name != "scheduler") return start_child(name, ChildProcess::LogFile::kGoesOn);
  return add_child(name, {"scheduler", job_file_, "--recover", "--bind", endpoint_},
                   ChildProcess::LogFile::kGoesOn);
}

Status JobCluster::start_child(const std::string& name, ChildProcess::LogFile log_file) {
  return add_child(name, member_args(name.starts_with("ps-") ? "ps" : "worker", name), log_file);
}

Status JobCluster::add_child(const std::string& name, std::vector<std::string> args,
                             ChildProcess::LogFile log_file) {
  CAPSTAN_ASSIGN(ChildProcess child, spawn(name, std::move(args), log_file));
  children_.push_back(std::move(child));
  reported_.push_back(false);
  return ok_status();
}

Result<std::string> JobCluster::wait_for_endpoint() {
  const auto deadline = Clock::now() + std::chrono::milliseconds(job_.cluster.startup_timeout_ms);
  while (Clock::now() < deadline) {
    tend();
    CAPSTAN_ASSIGN(const std::string written, written_endpoint());
    if (!written.empty()) return written;
    if (HeldSignals::take()) {
      return make_error(ErrorCode::kUnavailable, "stopped by Ctrl-C while the scheduler started");
    }
    if (const auto ended = children_.front().ended()) {
      return make_error(ErrorCode::kUnavailable,
                        fmt::format("the scheduler{} did not start ({}):\n{}", whereabouts("scheduler"),
                                    *ended, children_.front().log_tail(20)));
    }
    std::this_thread::sleep_for(kPoll);
  }
  return make_error(ErrorCode::kTimeout,
                    "the scheduler did not start in time; see " + log_dir_ + "/scheduler.log");
}

std::vector<ChildProcess*> JobCluster::newly_ended() {
  std::vector<ChildProcess*> ended;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (reported_[i] || !children_[i].ended()) continue;
    reported_[i] = true;
    ended.push_back(&children_[i]);
  }
  return ended;
}

bool JobCluster::all_ended() {
  bool all = true;
  for (auto& child : children_) all = !child.running() && all;
  return all;
}

void JobCluster::wait(std::chrono::milliseconds patience, std::chrono::milliseconds stop_patience) {
  const auto deadline = Clock::now() + patience;
  while (!all_ended() && Clock::now() < deadline) {
    tend();
    std::this_thread::sleep_for(kPoll);
  }
  if (!all_ended()) stop(stop_patience);
}

void JobCluster::stop(std::chrono::milliseconds patience) {
  for (auto& child : children_) child.signal(SIGTERM);
  const auto deadline = Clock::now() + patience;
  while (!all_ended() && Clock::now() < deadline) std::this_thread::sleep_for(kPoll);
  for (auto& child : children_) child.signal(SIGKILL);
  while (!all_ended()) std::this_thread::sleep_for(kPoll);
}

}  // namespace capstan
