// capstan-sim: hunts for seeds under which a simulated cluster breaks a promise, and shrinks what it finds.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/units.h"
#include "sim/campaign.h"
#include "sim/hunt_options.h"

namespace capstan {
namespace {

using Clock = std::chrono::steady_clock;

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
    return fmt::format(
        "{} seeds, {} failed, {:.0f} seeds/hour, {:.1f} virtual hours, {} faults, {} slices acknowledged",
        seeds, failed, static_cast<double>(seeds) / wall * 3600.0, virtual_seconds / 3600.0, faults, pushes);
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

// Seeds up to the last until the time is over, or one failed.
void hunt(std::uint64_t last, std::atomic<std::uint64_t>& next, std::optional<Clock::time_point> until,
          Tally& tally) {
  constexpr auto kBetweenLines = std::chrono::seconds(10);
  while (true) {
    const std::uint64_t seed = next++;
    if (seed > last || (until && Clock::now() >= *until)) return;
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
  say(fmt::format("seed {}: {}; {} of {} faults happened, {} slices acknowledged, {:.1f} virtual seconds",
                  seed, run.world, run.happened, run.faults.size(), run.pushes, seconds_of(run.elapsed)));
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
  std::optional<Clock::time_point> until;
  if (options.minutes > 0.0) {
    until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(options.minutes * 60.0));
  }
  Tally tally;
  std::atomic<std::uint64_t> next{options.first};
  std::vector<std::thread> threads;
  for (std::uint32_t n = 0; n < options.jobs; ++n) {
    threads.emplace_back([&] { hunt(options.last, next, until, tally); });
  }
  for (std::thread& thread : threads) thread.join();
  say(tally.text());
  if (tally.seeds > 0) {
    say(fmt::format("a run at the least: {:.0f} virtual seconds, {} faults, {} slices acknowledged",
                    tally.least_virtual, tally.least_faults, tally.least_pushes));
  }
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  const std::uint32_t jobs = std::max(1U, std::thread::hardware_concurrency());
  const capstan::HuntCommand command = capstan::read_hunt_command(argc, argv, jobs);
  if (command.options) return capstan::run(*command.options);
  std::fputs(command.text.c_str(), command.exit_code == 0 ? stdout : stderr);
  return command.exit_code;
}
