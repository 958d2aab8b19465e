// ResourceLog: what processes take of memory and descriptors in the course of a long run, and whether it
// grows with their age.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace capstan {

class ResourceLog {
 public:
  using Clock = std::chrono::steady_clock;

  bool due() const { return Clock::now() >= next_look_; }  // once a second
  // Reads all of them from /proc.
  void look(const std::vector<RunningProcess>& processes);

  struct Growth {
    double at_most = 0.0;  // of any process
    double an_hour = 0.0;  // of all samples the slope within a process's life, by least squares
    std::size_t samples = 0;
  };
  static constexpr pid_t kAll = 0;
  // Of `pid`, or of all, once older than `warm`: tables and pools fill up in a process's youth.
  Growth resident_mib(std::chrono::seconds warm, pid_t pid) const;
  Growth descriptors(std::chrono::seconds warm, pid_t pid) const;

 private:
  struct Sample {
    double hours = 0.0;  // since the process was first seen
    double resident_mib = 0.0, descriptors = 0.0;
  };
  Growth growth(double Sample::*what, std::chrono::seconds warm, pid_t pid) const;

  Clock::time_point next_look_{};
  std::map<pid_t, Clock::time_point> born_;
  std::map<pid_t, std::vector<Sample>> lives_;
};

}  // namespace capstan
