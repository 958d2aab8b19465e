// Chaos: real processes are killed, stopped and woken, one after the other, while they train; in the end
// every row is the sum of what was acknowledged. CAPSTAN_CHAOS_FAULTS=200 runs so many faults in place of the
// few of every build.
#include <cstdio>
#include <cstdlib>

#include "common/rng.h"
#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using Clock = std::chrono::steady_clock;

std::uint32_t faults_wanted() {
  const char* text = std::getenv("CAPSTAN_CHAOS_FAULTS");
  return text == nullptr ? 6 : static_cast<std::uint32_t>(std::max(1, std::atoi(text)));
}

class Chaos : public LedgerScene {
 protected:
  static constexpr std::uint32_t kServers = 3, kReplicas = 2;
  static constexpr std::uint32_t kKinds = 6;  // each role is killed and stopped in turn

  Chaos() : LedgerScene(kChaosSeed + faults_wanted()) {}

  void start_scheduler_again() {
    scheduler_ = start({"scheduler", path("job.yaml"), "--recover", "--bind", endpoint_});
  }

  // Every node lives and every chain has all its members.
  bool whole() {
    const auto now = status();
    const auto* nodes = now.if_contains("nodes");
    if (nodes == nullptr) return false;
    double places = 0.0;
    std::size_t alive = 0;
    for (const auto& each : nodes->as_array()) {
      const auto& node = each.as_object();
      if (!node.at("alive").as_bool()) continue;
      ++alive;
      if (node.contains("shards")) places += number_at(node, "shards") + number_at(node, "copies");
    }
    return alive == kServers + 2 && places == static_cast<double>(ledger_.shape().num_shards * kReplicas);
  }

  bool ended() { return scheduler_->ended().has_value(); }

  // Waits for `happened`, and keeps the longest time in which no worker computed anything.
  bool watch(const std::function<bool()>& happened, Clock::duration& longest) {
    std::uintmax_t seen = computed();
    Clock::time_point last = Clock::now();
    const auto look = [&] {
      const std::uintmax_t now = computed();
      longest = std::max(longest, Clock::now() - last);
      if (now != seen) last = Clock::now();
      seen = now;
      return happened();
    };
    return eventually(look, kPatience);
  }

  // The fault's name. What was killed is started again after `down`, what was stopped is woken.
  std::string strike(std::uint32_t kind, Rng& rng, Clock::duration& longest) {
    const std::string server = fmt::format("ps-{}", rng.below(kServers));
    const std::string worker = fmt::format("worker-{}", rng.below(2));
    const std::string node = kind < 2 ? server : kind < 4 ? worker : "scheduler";
    const bool kills = kind % 2 == 0;
    const auto down = std::chrono::milliseconds(100 + rng.below(3500));
    const auto pid = find(node);
    if (!pid.has_value()) return "";
    kill(*pid, kills ? SIGKILL : SIGSTOP);
    const Clock::time_point up = Clock::now() + down;
    watch([&] { return Clock::now() >= up; }, longest);
    if (!kills) {
      kill(*pid, SIGCONT);
    } else if (kind == 0) {
      start_server(node);
    } else if (kind == 2) {
      start_worker(node);
    } else {
      start_scheduler_again();
    }
    return fmt::format("{} of a {}", kills ? "kill -9" : "stop",
                       kind < 2   ? "server"
                       : kind < 4 ? "worker"
                                  : "scheduler");
  }
};

double seconds_of(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

TEST_F(Chaos, NothingAcknowledgedIsLostOrDoubled) {
  write_job("pipeline_depth: 3", kServers, kReplicas);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  Clock::duration longest{};
  ASSERT_TRUE(watch([&] { return computed() >= 50 && whole(); }, longest)) << scheduler_->err();
  Rng rng(kChaosSeed);
  std::map<std::string, std::vector<double>> pauses;
  std::uint32_t faults = 0;
  while (faults < faults_wanted() && !ended()) {
    Clock::duration pause{};
    const std::string name = strike(faults % kKinds, rng, pause);
    if (name.empty()) continue;
    ++faults;
    const std::uintmax_t before = computed();
    const bool again = watch([&] { return ended() || (computed() >= before + 50 && whole()); }, pause);
    ASSERT_TRUE(again) << "after fault " << faults << ", " << name << ":\n" << scheduler_->err();
    pauses[name].push_back(seconds_of(pause));
  }
  EXPECT_GE(faults, faults_wanted()) << "the job ended before its faults";
  while (!ended()) {  // as long as it goes on
    const std::uintmax_t before = computed();
    const auto goes_on = [&] { return ended() || computed() > before + 100; };
    ASSERT_TRUE(watch(goes_on, longest)) << scheduler_->err();
  }
  expect_job_ends_well();
  expect_rows_exact();
  std::fputs(fmt::format("{} faults, {} pushes acknowledged, lost 0, doubled 0 unless a line above says so\n",
                         faults, slices())
                 .c_str(),
             stdout);
  for (auto& [name, all] : pauses) {
    std::sort(all.begin(), all.end());
    std::fputs(fmt::format("  {:22} {:4} times, pause of the workers: median {:.2f} s, longest {:.2f} s\n",
                           name, all.size(), all[all.size() / 2], all.back())
                   .c_str(),
               stdout);
  }
}

}  // namespace
}  // namespace capstan
