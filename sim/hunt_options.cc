#include "sim/hunt_options.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <regex>
#include <sstream>

namespace capstan {
namespace {

constexpr double kMinutesMax = 60.0 * 24 * 365;

std::string check_minutes(const std::string& text) {
  double minutes = 0.0;
  const bool number = CLI::detail::lexical_cast(text, minutes) && std::isfinite(minutes);
  if (number && minutes >= 0.0 && minutes <= kMinutesMax) return "";
  return fmt::format("{} is no number of minutes, such as 60 or 0.5; 0: until the seeds are done", text);
}

// As a word, because a number that is read from it would wrap around.
std::string check_seed(const std::string& text) {
  if (std::regex_match(text, std::regex(R"(\d{1,18})"))) return "";
  return fmt::format("{} is no seed: a whole number of at most 18 digits, such as 4711", text);
}

bool read_seeds(const std::string& text, HuntOptions& options) {
  std::smatch parts;
  if (!std::regex_match(text, parts, std::regex(R"((\d{1,18})(?:\.\.(\d{1,18}))?)"))) return false;
  options.first = std::stoull(parts[1]);
  options.last = parts[2].matched ? std::stoull(parts[2]) : options.first;
  return options.first <= options.last;
}

std::string check_seeds(const std::string& text) {
  HuntOptions options;
  return read_seeds(text, options) ? "" : fmt::format("{} is not FIRST..LAST, such as 1..20000", text);
}

CLI::Validator checked(std::string (*check)(const std::string&)) {
  return CLI::Validator([check](std::string& text) { return check(text); }, "");
}

}  // namespace

HuntCommand read_hunt_command(int argc, const char* const* argv, std::uint32_t jobs) {
  CLI::App app(
      "Runs whole simulated clusters, one a seed, through faults, and checks that nothing acknowledged is "
      "lost or doubled, no shard has two owners, and every job ends.",
      "capstan-sim");
  HuntOptions options;
  options.jobs = jobs;
  std::string seeds = "1..200", replay;
  app.add_option("--seeds", seeds, "FIRST..LAST")->capture_default_str()->check(checked(check_seeds));
  app.add_option("--minutes", options.minutes, "Stop after so long; 0: when the seeds are done")
      ->capture_default_str()
      ->check(checked(check_minutes));
  app.add_option("--jobs", options.jobs, "Threads, each with a seed of its own")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--replay", replay,
                 "Run this seed alone and print its faults; CAPSTAN_SIM_LOG=1 shows the logs")
      ->check(checked(check_seed));
  app.footer("Exit codes: 0 every seed is clean; 1 one failed; 2 the command line is wrong.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const int exit_code = app.exit(error, out, err) == 0 ? 0 : 2;
    return {std::nullopt, out.str() + err.str(), exit_code};
  }
  read_seeds(seeds, options);
  if (!replay.empty()) options.replay = std::stoull(replay);
  return {options, "", 0};
}

}  // namespace capstan
