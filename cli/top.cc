// `capstan top`: a running job's status, again and again, on a terminal that it redraws.
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <ostream>

#include "cli/commands.h"
#include "cli/held_signals.h"
#include "cli/live_rows.h"
#include "cli/offline_job.h"
#include "cli/status_page.h"
#include "common/event_loop.h"
#include "common/units.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;

struct TopOptions {
  LiveTarget live;
  std::string every = "1s";
  std::uint64_t count = 0;
};

// No more lines than the terminal has, so that the first ones stay in sight.
std::string fitting(const std::string& page) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 3) return page;
  std::string fits;
  std::size_t at = 0;
  for (int line = 0; line < size.ws_row - 1 && at < page.size(); ++line) {
    const std::size_t end = std::min(page.find('\n', at), page.size());
    fits += page.substr(at, std::min<std::size_t>(end - at, size.ws_col)) + "\n";
    at = end + 1;
  }
  return fits;
}

void draw(const std::string& page, bool terminal, Console console) {
  if (!terminal) {
    console.out << page << "\n" << std::flush;
    return;
  }
  constexpr const char* kHome = "\x1b[H";
  constexpr const char* kClearBelow = "\x1b[J";
  std::string lines = fitting(page);
  constexpr std::string_view kClearLine = "\x1b[K\n";
  for (std::size_t at = lines.find('\n'); at != std::string::npos;
       at = lines.find('\n', at + kClearLine.size()))
    lines.replace(at, 1, kClearLine);
  console.out << kHome << lines << kClearBelow << std::flush;
}

int run(const TopOptions& options, Console console) {
  const auto every = parse_duration(options.every);
  if (!every.ok() || *every < 100ms) {
    return complain(make_error(ErrorCode::kInvalid,
                               fmt::format("--every {}: a time of 100ms or more, such as 2s", options.every)),
                    console);
  }
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  HeldSignals held;
  bool seen = false;
  for (std::uint64_t shown = 0; options.count == 0 || shown < options.count;) {
    const auto fetched = fetch_status(options.live);
    if (!fetched.ok() && !seen) return complain(fetched.error(), console);
    if (fetched.ok()) {
      if (!seen && terminal) console.out << "\x1b[2J";
      seen = true;
      ++shown;
      draw(status_page(boost::json::parse(*fetched).as_object()), terminal, console);
    } else if (fetched.error().code != ErrorCode::kTimeout) {
      console.out << "\n" << fetched.error().message << "\n";  // the job has ended, most likely
      return kExitOk;
    } else {
      draw(fetched.error().message + "\n", terminal, console);
    }
    if (shown != options.count && HeldSignals::take(*every)) break;
  }
  return kExitOk;
}

}  // namespace

void add_top(CLI::App& app, Console console, int& exit_code) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand("top", "Watch a running job: its status, redrawn every second");
  add_live_target(*command, options->live);
  command->get_option("--scheduler")->required();
  command->get_option("--job")->required();
  command->add_option("--every", options->every, "How often, such as 2s")->capture_default_str();
  command->add_option("--count", options->count, "Stop after so many; 0: Ctrl-C or the job's end stops it")
      ->capture_default_str();
  command->footer("Example: capstan top --scheduler tcp://127.0.0.1:7000 --job movielens");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
