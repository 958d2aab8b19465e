#include "tests/e2e/chaos_scene.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace capstan {
namespace {

constexpr std::uintmax_t kGoesOn = 50;  // batches
constexpr const char* kSpared[] = {"scheduler", "ps-0", "worker-0"};

double seconds_of(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string median_and_most(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return fmt::format("{:5.2f} s {:5.2f} s", all[all.size() / 2], all.back());
}

std::uint32_t number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : static_cast<std::uint32_t>(std::max(1, std::atoi(text)));
}

std::uint32_t minutes_wanted() {
  return number_from("CAPSTAN_CHAOS_MINUTES");
}

}  // namespace

std::string ChaosScene::consistency() {
  const char* wanted = std::getenv("CAPSTAN_CHAOS_CONSISTENCY");
  return wanted == nullptr ? "async" : wanted;
}

std::string ChaosScene::train_settings() {
  if (consistency() == "sync") return "consistency: sync";
  if (consistency() == "bounded") return "pipeline_depth: 3, consistency: bounded, staleness: 3";
  return "pipeline_depth: 3";
}

std::uint32_t ChaosScene::faults_wanted(std::uint32_t otherwise) {
  constexpr std::uint32_t kFaultsAMinute = 15;  // none is over in less than four seconds
  if (minutes_wanted() > 0) return minutes_wanted() * kFaultsAMinute;
  const std::uint32_t faults = number_from("CAPSTAN_CHAOS_FAULTS");
  return faults > 0 ? faults : otherwise;
}

bool ChaosScene::struck_enough(std::uint32_t otherwise) const {
  const bool over = minutes_wanted() > 0 && Clock::now() - begun_ >= std::chrono::minutes(minutes_wanted());
  return over || faults_ >= faults_wanted(otherwise);
}

bool ChaosScene::is_spared(const std::string& node) {
  return minutes_wanted() > 0 && std::find(std::begin(kSpared), std::end(kSpared), node) != std::end(kSpared);
}

void ChaosScene::start_again(const std::string& node) {
  if (node == "scheduler") {
    scheduler_ = start_node(node, {"scheduler", path("job.yaml"), "--recover", "--bind", endpoint_});
  } else if (node.starts_with("ps-")) {
    start_server(node);
  } else {
    start_worker(node);
  }
}

// One that ended by itself is started again soon.
void ChaosScene::wait_for(const std::string& node) {
  ASSERT_TRUE(watch([&] { return find(node).has_value(); })) << node << " is not there:\n" << scheduler_log();
}

void ChaosScene::kill_and_start(const std::string& node, std::chrono::milliseconds down) {
  ASSERT_NO_FATAL_FAILURE(wait_for(node));
  ASSERT_NO_FATAL_FAILURE(kill_node(node));
  watch_for(down);
  start_again(node);
}

void ChaosScene::stop_and_wake(const std::string& node, std::chrono::milliseconds down) {
  ASSERT_NO_FATAL_FAILURE(wait_for(node));
  const auto pid = find(node);
  ASSERT_TRUE(pid.has_value()) << node;
  kill(*pid, SIGSTOP);
  watch_for(down);
  kill(*pid, SIGCONT);
}

bool ChaosScene::whole() {
  constexpr std::chrono::milliseconds kLookEvery{200};  // a process each time
  if (Clock::now() < next_look_) return false;
  next_look_ = Clock::now() + kLookEvery;
  return is_whole(kServers + kWorkers, kReplicas);
}

bool ChaosScene::watch(const std::function<bool()>& happened, std::chrono::milliseconds patience) {
  std::uintmax_t seen = computed();
  Clock::time_point last = Clock::now();
  const auto look = [&] {
    tend();
    note_resources();
    const std::uintmax_t now = computed();
    pause_ = std::max(pause_, Clock::now() - last);
    if (now != seen) last = Clock::now();
    seen = now;
    return happened();
  };
  return eventually(look, patience);
}

// Of the cluster's nodes, not of tools that look at it.
void ChaosScene::note_resources() {
  if (!resources_.due()) return;
  std::vector<RunningProcess> nodes = processes();
  std::erase_if(nodes, [](const RunningProcess& process) {
    const auto& args = process.args;
    return std::none_of(args.begin(), args.end(), [](const std::string& arg) {
      return arg == "scheduler" || arg == "ps" || arg == kLedgerWorkerFlag;
    });
  });
  resources_.look(nodes);
}

void ChaosScene::watch_for(std::chrono::milliseconds time) {
  const Clock::time_point end = Clock::now() + time;
  watch([&] { return Clock::now() >= end; });
}

void ChaosScene::set_pace(std::chrono::milliseconds batch) const {
  write(kPaceFile, std::to_string(batch.count()));
}

// What was computed in vain counts as done: the pace is rather too slow than too fast.
void ChaosScene::outlast_faults() const {
  constexpr double kFastest = 4.0, kSlowest = 100.0, kSpare = 1.3;
  const double a_fault = seconds_of(Clock::now() - trains_since_) / faults_;
  const double seconds = a_fault * (planned_ - std::min(faults_, planned_)) * kSpare;
  const double left = static_cast<double>(batches()) - static_cast<double>(computed());
  const double ms = left <= 0.0 ? kSlowest : std::clamp(kWorkers * 1000 * seconds / left, kFastest, kSlowest);
  set_pace(std::chrono::milliseconds(std::lround(ms)));
}

void ChaosScene::start_training() {
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  train();
}

void ChaosScene::train() {
  ASSERT_TRUE(watch([&] { return computed() >= kGoesOn && whole(); })) << scheduler_log();
  trains_since_ = Clock::now();
}

void ChaosScene::strike(const Strike& strike) {
  pause_ = {};
  ASSERT_NO_FATAL_FAILURE(strike.deed()) << "fault " << faults_ + 1 << ", " << strike.name;
  ++faults_;
  const std::uintmax_t before = computed();
  const Clock::time_point over = Clock::now();
  const bool again = watch([&] { return ended() || (computed() >= before + kGoesOn && whole()); });
  ASSERT_TRUE(again) << "after fault " << faults_ << ", " << strike.name << ":\n" << scheduler_log();
  ASSERT_FALSE(ended()) << "the job ended before its faults, in fault " << faults_ << ", " << strike.name
                        << ":\n"
                        << scheduler_log();
  Seen& seen = seen_[strike.name];
  seen.pauses.push_back(seconds_of(pause_));
  seen.whole_again.push_back(seconds_of(Clock::now() - over));
  fmt::print("{:6.0f} s  fault {:3}  {:34}  pause {:5.2f} s, whole after {:5.2f} s\n",
             seconds_of(Clock::now() - begun_), faults_, strike.name, seen.pauses.back(),
             seen.whole_again.back());
  std::fflush(stdout);
  outlast_faults();
}

void ChaosScene::finish(const std::string& title) {
  for (const char* node : kSpared) {
    if (const auto pid = find(node); is_spared(node) && pid.has_value()) spared_[node] = *pid;
  }
  set_pace({});
  while (!ended()) {  // as long as it goes on
    const std::uintmax_t before = computed();
    ASSERT_TRUE(watch([&] { return ended() || computed() > before + kGoesOn; })) << scheduler_log();
  }
  expect_end();
  expect_rows_exact();
  expect_counts_exact(consistency() != "async");  // the others tell every shard of each step
  print_summary(title);
}

void ChaosScene::print_summary(const std::string& title) {
  const auto report = json("report.json");
  const double acknowledged = number_at(report, "pushes.acknowledged");
  double longest = 0.0;
  std::string lines;
  for (const auto& [name, seen] : seen_) {
    longest = std::max(longest, *std::max_element(seen.pauses.begin(), seen.pauses.end()));
    lines += fmt::format("  {:34} {:4}  {}    {}\n", name, seen.pauses.size(), median_and_most(seen.pauses),
                         median_and_most(seen.whole_again));
  }
  const std::string text = fmt::format(
      "{}: {} faults, {:.0f} pushes acknowledged, lost {:.0f}, doubled {:.0f}, longest pause {:.2f} s\n"
      "  fault                             times  pause of the workers  whole again after it\n"
      "                                           median    longest     median    longest\n{}",
      title, faults_, acknowledged, number_at(report, "pushes.lost"),
      std::max(0.0, number_at(report, "pushes.applied") - acknowledged), longest, lines);
  std::fputs(text.c_str(), stdout);
  print_growth();
}

void ChaosScene::print_growth() const {
  constexpr std::chrono::seconds kWarm{60}, kWarmForLong{600};
  const auto print = [this](const std::string& who, std::chrono::seconds warm, pid_t pid) {
    const auto memory = resources_.resident_mib(warm, pid), descriptors = resources_.descriptors(warm, pid);
    fmt::print(
        "  {} takes at most {:.0f} MiB and {:.0f} descriptors; once {} s old it grows by {:+.2f} MiB and "
        "{:+.2f} descriptors an hour ({} samples)\n",
        who, memory.at_most, descriptors.at_most, warm.count(), memory.an_hour, descriptors.an_hour,
        memory.samples);
  };
  print("a process", kWarm, ResourceLog::kAll);
  for (const auto& [node, pid] : spared_) print(node + ", which was never killed,", kWarmForLong, pid);
}

}  // namespace capstan
