#include "tests/e2e/resource_log.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace capstan {
namespace {

double hours(ResourceLog::Clock::duration duration) {
  return std::chrono::duration<double, std::ratio<3600>>(duration).count();
}

// 0 for one that has just gone.
double resident_mib_of(pid_t pid) {
  double size = 0.0, resident = 0.0;
  std::ifstream(fmt::format("/proc/{}/statm", pid)) >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double descriptors_of(pid_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator all(fmt::format("/proc/{}/fd", pid), error);
  return error ? 0.0 : static_cast<double>(std::distance(begin(all), end(all)));
}

}  // namespace

void ResourceLog::look(const std::vector<RunningProcess>& processes) {
  const Clock::time_point now = Clock::now();
  next_look_ = now + std::chrono::seconds(1);
  for (const RunningProcess& process : processes) {
    const Clock::time_point born = born_.try_emplace(process.pid, now).first->second;
    const Sample sample{hours(now - born), resident_mib_of(process.pid), descriptors_of(process.pid)};
    if (sample.resident_mib > 0.0 && sample.descriptors > 0.0) lives_[process.pid].push_back(sample);
  }
}

ResourceLog::Growth ResourceLog::resident_mib(std::chrono::seconds warm, pid_t pid) const {
  return growth(&Sample::resident_mib, warm, pid);
}

ResourceLog::Growth ResourceLog::descriptors(std::chrono::seconds warm, pid_t pid) const {
  return growth(&Sample::descriptors, warm, pid);
}

// Deviations from each life's own means: a process that takes more than another does not count as growth.
ResourceLog::Growth ResourceLog::growth(double Sample::*what, std::chrono::seconds warm, pid_t of) const {
  Growth growth;
  double products = 0.0, squares = 0.0;
  for (const auto& [pid, life] : lives_) {
    if (of != kAll && pid != of) continue;
    std::vector<Sample> grown;
    for (const Sample& sample : life) {
      growth.at_most = std::max(growth.at_most, sample.*what);
      if (sample.hours >= hours(warm)) grown.push_back(sample);
    }
    double mean_age = 0.0, mean = 0.0;
    for (const Sample& sample : grown) {
      mean_age += sample.hours / static_cast<double>(grown.size());
      mean += sample.*what / static_cast<double>(grown.size());
    }
    for (const Sample& sample : grown) {
      products += (sample.hours - mean_age) * (sample.*what - mean);
      squares += (sample.hours - mean_age) * (sample.hours - mean_age);
    }
    growth.samples += grown.size();
  }
  growth.an_hour = squares > 0.0 ? products / squares : 0.0;
  return growth;
}

}  // namespace capstan
