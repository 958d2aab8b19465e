// ProgressView: a running job's status as something to look at.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace capstan {

// A terminal gets one bar that is redrawn; anything else plain lines, when something has changed and
// not too many of them: show() is meant to be called a few times a second.
class ProgressView {
 public:
  // quiet: nothing but the job's warnings, which go to stderr in any case.
  ProgressView(std::FILE* out, bool terminal, bool quiet)
      : out_(out), terminal_(terminal && !quiet), quiet_(quiet) {}

  // `status` is StatusReply::json.
  void show(std::string_view status);
  // Ends the bar, so that other text can follow.
  void finish();

 private:
  // bar_at: a bar behind it, as full as that.
  void print(const std::string& line, bool keep, std::optional<double> bar_at = {});
  void show_waiting(const std::string& waits);

  std::FILE* out_;
  bool terminal_;
  bool quiet_;
  bool bar_open_ = false;
  bool data_shown_ = false;
  std::string last_plain_;
  std::size_t warnings_shown_ = 0;
  std::string waits_, said_waits_;  // of a running job
  std::uint64_t waiting_calls_ = 0;
  double last_fraction_ = -1.0;
  std::uint64_t calls_ = 0, next_plain_ = 0;  // while it trains
};

// "12.3k", "4.56M"
std::string short_number(double value);
// "1 min 05 s", "12 s"
std::string short_duration(double seconds);

}  // namespace capstan
