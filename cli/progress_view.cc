#include "cli/progress_view.h"

#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

namespace capstan {
namespace {

namespace json = boost::json;

constexpr double kPlainEvery = 0.25;      // of a pass
constexpr std::uint64_t kPlainPause = 8;  // calls between two lines; later a twentieth of all calls so far
constexpr int kBarWidth = 24;
constexpr int kBarWidthMin = 4;
constexpr int kWideTerminal = 120;
constexpr std::uint64_t kWaitCalls = 8;  // in which a running job waits for the same, until that is said

double number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nan("");
  return value->to_number<double>();
}

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

// The middle of the histogram whose buckets are 0, 1, 2-3, 4-7, ... pushes.
std::string median_staleness(const json::object& status) {
  const auto* buckets = status.if_contains("staleness");
  if (buckets == nullptr || !buckets->is_array()) return "-";
  double total = 0.0;
  for (const auto& count : buckets->as_array()) total += count.to_number<double>();
  double seen = 0.0;
  std::size_t bucket = 0;
  for (const auto& count : buckets->as_array()) {
    seen += count.to_number<double>();
    if (total > 0.0 && seen * 2.0 >= total) return fmt::format("{}", bucket == 0 ? 0 : 1U << (bucket - 1));
    ++bucket;
  }
  return "-";
}

// With its blank; empty where there is no room for one worth looking at.
std::string bar(double fraction, int width) {
  if (width < kBarWidthMin) return "";
  const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * width);
  std::string text = " ";
  for (int i = 0; i < width; ++i) text += i < full ? "█" : "░";
  return text;
}

// Of the terminal; 0: not known.
int columns_of(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string running_line(const json::object& status) {
  const double fraction = number(status, "fraction_of_pass");
  const double loss = number(status, "loss");
  const double eta = number(status, "eta_seconds");
  return fmt::format("pass {}/{} {:3.0f} %  {} examples/s  loss {}  staleness {}  ETA {}",
                     number(status, "pass"), number(status, "passes"), 100.0 * fraction,
                     short_number(number(status, "examples_per_second")),
                     std::isnan(loss) ? "-" : fmt::format("{:.4f}", loss), median_staleness(status),
                     std::isnan(eta) ? "-" : short_duration(eta));
}

}  // namespace

std::string short_number(double value) {
  if (value < 1e3) return fmt::format("{:.0f}", value);
  if (value < 1e6) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.2f}M", value / 1e6);
}

std::string short_duration(double seconds) {
  const auto whole = static_cast<long>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

void ProgressView::show(std::string_view status_text) {
  boost::system::error_code error;
  const json::value parsed = json::parse({status_text.data(), status_text.size()}, error);
  if (error || !parsed.is_object()) return;
  const auto& status = parsed.as_object();
  if (const std::string data = text(status, "data"); !data_shown_ && !data.empty()) {
    data_shown_ = true;
    print(data, true);
  }
  if (const auto* warnings = status.if_contains("warnings"); warnings != nullptr && warnings->is_array()) {
    const auto& all = warnings->as_array();
    for (; warnings_shown_ < all.size(); ++warnings_shown_) {
      if (terminal_) std::fputs("\r\x1b[2K", out_);
      std::fflush(out_);
      std::fprintf(stderr, "warning: %s\n", all[warnings_shown_].as_string().c_str());
    }
  }
  const std::string state = text(status, "state");
  if (state == "done" || state == "failed") return;  // its last words come with the result
  if (state != "running") {
    const std::string waits = text(status, "waits_for");
    print(waits.empty() || waits == state ? state : state + ": " + waits, false);
    return;
  }
  show_waiting(text(status, "waits_for"));
  const double fraction = number(status, "pass") - 1 + number(status, "fraction_of_pass");
  ++calls_;
  if (!terminal_) {
    if (fraction < last_fraction_ + kPlainEvery || calls_ < next_plain_) return;
    next_plain_ = calls_ + std::max(kPlainPause, calls_ / 20);
  }
  last_fraction_ = fraction;
  print(running_line(status), false, number(status, "fraction_of_pass"));
}

// A running job waits for a moment at every checkpoint, and for long when a node hangs.
void ProgressView::show_waiting(const std::string& waits) {
  const bool waiting = !waits.empty() && !waits.starts_with("training pass");
  if (waits != waits_) waiting_calls_ = 0;
  waits_ = waits;
  ++waiting_calls_;
  if (waiting && waiting_calls_ >= kWaitCalls && said_waits_ != waits) {
    said_waits_ = waits;
    print(waits, true);
  } else if (!waiting && !said_waits_.empty()) {
    said_waits_.clear();
    print("goes on: " + waits, true);
  }
}

// A line that will be overwritten must fit into one of the terminal's.
void ProgressView::print(const std::string& line, bool keep, std::optional<double> bar_at) {
  if (quiet_) return;
  if (terminal_) {
    const int columns = columns_of(out_);
    const int room = columns > 0 ? columns - 1 : kWideTerminal;
    std::string shown = keep ? line : line.substr(0, static_cast<std::size_t>(room));
    if (bar_at) shown += bar(*bar_at, std::min(kBarWidth, room - 1 - static_cast<int>(shown.size())));
    std::fprintf(out_, "\r\x1b[2K%s%s", shown.c_str(), keep ? "\n" : "");
    bar_open_ = !keep;
  } else if (line != last_plain_) {
    std::fprintf(out_, "%s\n", line.c_str());
    last_plain_ = line;
  }
  std::fflush(out_);
}

void ProgressView::finish() {
  if (bar_open_) std::fputs("\n", out_);
  bar_open_ = false;
}

}  // namespace capstan
