// capstan-sim: hunts for seeds under which a simulated cluster breaks a promise, and shrinks what it finds.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <regex>
#include <thread>
#include <vector>

#include "common/units.h"
#include "sim/campaign.h"

namespace capstan {
namespace {

using Clock = std::chrono::steady_clock;

struct HuntOptions {
  std::string seeds = "1..200";
  double minutes = 0.0;
  std::uint32_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::optional<std::uint64_t> replay;
};

struct Range {
  std::uint64_t first = 1, last = 1;
};

std::optional<Range> parse_range(const std::string& text) {
  std::smatch parts;
  if (!std::regex_match(text, parts, std::regex(R"((\d{1,18})(?:\.\.(\d{1,18}))?)"))) return std::nullopt;
  const std::uint64_t first = std::stoull(parts[1]);
  const std::uint64_t last = parts[2].matched ? std::stoull(parts[2]) : first;
  return last < first ? std::nullopt : std::optional(Range{first, last});
}

void say(const std::string& text) {
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// Sums over all seeds. Locked by whoever holds `mutex`.
struct Tally {
  std::mutex mutex;
  std::uint64_t seeds = 0, pushes = 0, faults = 0, failed = 0;
  double virtual_seconds = 0.0, least_virtual = 1e9;
  std::uint64_t least_pushes = ~std::uint64_t{0}, least_faults = ~std::uint64_t{0};
  Clock::time_point begin = Clock::now(), said = begin;

  void add(const CampaignRun& run) {
    ++seeds;
    pushes += run.pushes;
    faults += run.happened;
    virtual_seconds += seconds_of(run.elapsed);
    least_virtual = std::min(least_virtual, seconds_of(run.elapsed));
    least_pushes = std::min(least_pushes, run.pushes);
    least_faults = std::min(least_faults, run.happened);
  }
  std::string text() const {
    const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
    return fmt::format("{} seeds, {} failed, {:.0f} seeds/hour, {:.1f} virtual hours, {} faults, {} pushes",
                       seeds, failed, static_cast<double>(seeds) / wall * 3600.0, virtual_seconds / 3600.0,
                       faults, pushes);
  }
};

void print_failure(const CampaignRun& run) {
  say(fmt::format("seed {} FAILED after {:.1f} s ({}): {}", run.seed, seconds_of(run.elapsed), run.world,
                  run.wrong));
  say(fmt::format("shrinking its {} faults", run.faults.size()));
  const std::vector<Fault> rest = shrink(run);
  const CampaignRun again = run_campaign(run.seed, rest);
  say(fmt::format("with these {} alone: {}", rest.size(), again.wrong));
  for (const Fault& fault : rest) say("  " + to_string(fault));
  say(fmt::format("replay: capstan-sim --replay {}", run.seed));
}

// Seeds from the range until it is done, the time is over, or one failed.
void hunt(const Range& range, std::atomic<std::uint64_t>& next, std::optional<Clock::time_point> until,
          Tally& tally) {
  constexpr auto kBetweenLines = std::chrono::seconds(10);
  while (true) {
    const std::uint64_t seed = next++;
    if (seed > range.last || (until && Clock::now() >= *until)) return;
    const CampaignRun run = run_campaign(seed);
    const std::lock_guard lock(tally.mutex);
    if (tally.failed > 0) return;
    tally.add(run);
    if (!run.wrong.empty()) {
      ++tally.failed;
      return print_failure(run);
    }
    if (Clock::now() - tally.said < kBetweenLines) continue;
    tally.said = Clock::now();
    say(tally.text());
  }
}

int replay(std::uint64_t seed) {
  const CampaignRun run = run_campaign(seed);
  say(fmt::format("seed {}: {}; {} of {} faults happened, {} pushes, {:.1f} virtual seconds", seed, run.world,
                  run.happened, run.faults.size(), run.pushes, seconds_of(run.elapsed)));
  for (const Fault& fault : run.faults) say("  " + to_string(fault));
  if (run.wrong.empty()) {
    say("every check holds");
    return 0;
  }
  print_failure(run);
  return 1;
}

int run(const HuntOptions& options) {
  if (options.replay) return replay(*options.replay);
  const auto range = parse_range(options.seeds);
  if (!range) {
    std::fputs("capstan-sim: --seeds is FIRST..LAST, such as 1..20000\n", stderr);
    return 2;
  }
  std::optional<Clock::time_point> until;
  if (options.minutes > 0.0) {
    until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options.minutes * 60.0));
  }
  Tally tally;
  std::atomic<std::uint64_t> next{range->first};
  std::vector<std::thread> threads;
  for (std::uint32_t n = 0; n < options.jobs; ++n) {
    threads.emplace_back([&] { hunt(*range, next, until, tally); });
  }
  for (std::thread& thread : threads) thread.join();
  say(tally.text());
  if (tally.seeds > 0) {
    say(fmt::format("a run at the least: {:.0f} virtual seconds, {} faults, {} pushes", tally.least_virtual,
                    tally.least_faults, tally.least_pushes));
  }
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  CLI::App app(
      "Runs whole simulated clusters, one a seed, through faults, and checks that nothing acknowledged is "
      "lost "
      "or doubled, no shard has two owners, and every job ends.",
      "capstan-sim");
  capstan::HuntOptions options;
  app.add_option("--seeds", options.seeds, "FIRST..LAST")->capture_default_str();
  app.add_option("--minutes", options.minutes, "Stop after so long; 0: when the seeds are done")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "Threads, each with a seed of its own")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--replay", options.replay,
                 "Run this seed alone and print its faults; CAPSTAN_SIM_LOG=1 shows the logs");
  app.footer("Exit codes: 0 every seed is clean; 1 one failed; 2 the command line is wrong.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return capstan::run(options);
}
