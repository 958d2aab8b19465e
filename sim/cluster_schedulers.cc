// SimCluster: how its schedulers start, end, and start again.
#include <spdlog/fmt/fmt.h>

#include "common/assert.h"
#include "scheduler/manifest.h"
#include "sim/cluster.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
constexpr const char* kSchedulerEndpoint = "sim://scheduler:1";
constexpr const char* kSecondEndpoint = "sim://scheduler-1:1";

}  // namespace

SchedulerOptions SimCluster::scheduler_options(const SimNode& node) const {
  SchedulerOptions options;
  options.config = config();
  options.job_text = "name: sim\n";
  options.bind = &node == schedulers_.front() ? kSchedulerEndpoint : kSecondEndpoint;
  options.without = given_up_;
  return options;
}

std::string SimCluster::scheduler_endpoints() const {
  return options_.schedulers < 2 ? kSchedulerEndpoint
                                 : fmt::format("{},{}", kSchedulerEndpoint, kSecondEndpoint);
}

std::shared_ptr<void> SimCluster::start_scheduler(SimNode& node) {
  SchedulerOptions options = scheduler_options(node);
  if (options_.schedulers > 0) return start_in_turn(node, std::move(options));
  if (false_start_ && !false_start_->checkpoints) false_start_->checkpoints = published_checkpoints();
  options.start = false_start_         ? false_start_->mode
                  : rebuilds_          ? StartMode::kRebuild
                  : scheduler_started_ ? StartMode::kRecover
                                       : options_.start;
  auto process = start_with_journal(node, options);
  if (process == nullptr && options.start == StartMode::kRebuild) {
    options.start = StartMode::kRecover;  // the journal that it has written since is whole
    process = start_with_journal(node, std::move(options));
  }
  scheduler_started_ = true;
  scheduler_process_ = process;
  return process;
}

// nullptr: it does not start now.
std::shared_ptr<Scheduler> SimCluster::start_with_journal(SimNode& node, const SchedulerOptions& options) {
  auto process =
      std::make_shared<Scheduler>(node.loop(), node.transport(), node.storage(), log(node), options);
  const auto endpoint = process->start([this, &node](bool, const std::string& why) {
    const auto self = scheduler_process();
    if (self == nullptr || !self->job().halted()) return;
    see_false_start_end(why);
    start_again_soon(node);
  });
  if (endpoint.ok()) return process;
  log(node).error("{}", endpoint.error().message);
  const ErrorCode code = endpoint.error().code;
  if (options.start == StartMode::kRebuild && code == ErrorCode::kInvalid) return nullptr;
  if (code == ErrorCode::kIo || code == ErrorCode::kNoSpace) {  // of its disk
    world_.call_after(Duration(0), [this, &node] { start_again_soon(node); });
  } else {
    quits_.push_back("the scheduler does not start: " + endpoint.error().message);
  }
  return nullptr;
}

std::shared_ptr<void> SimCluster::start_in_turn(SimNode& node, SchedulerOptions options) {
  SimScheduler::Hooks hooks;
  // Whoever resumes says so to one, and starts the other beside it.
  const bool resumes = options_.start == StartMode::kResume;
  hooks.may_lead = [this, resumes, first = &node == schedulers_.front()] {
    return scheduler_started_ || first || !resumes;
  };
  hooks.start_mode = [this, resumes](bool waited) {
    const bool goes_on = scheduler_started_ || (waited && !resumes);
    return goes_on ? StartMode::kRecover : options_.start;
  };
  hooks.on_lead = [this, &node](const std::shared_ptr<Scheduler>& process) {
    scheduler_started_ = true;
    scheduler_ = &node;
    scheduler_process_ = process;
  };
  hooks.on_exit = [this, &node](const std::string& why) {
    log(node).error("{}", why);
    start_again_soon(node);
  };
  return std::make_shared<SimScheduler>(node, store_, log(node), std::move(options),
                                        options_.rare.journal_value_bytes, std::move(hooks));
}

// As whoever watches over processes would.
void SimCluster::start_again_soon(SimNode& node) {
  world_.crash(node, SimWorld::Crash::kProcess);
  world_.call_after(milliseconds(300), [this, &node] {
    if (has(node) && !world_.up(node)) world_.restart(node);
  });
}

void SimCluster::lose_journal() {
  const auto done = [](const Status& status) { CAPSTAN_ASSERT(status.ok(), "the journal goes"); };
  done(scheduler_->storage().remove("work/journal"));
  done(scheduler_->storage().sync_dir("work"));
  crash(*scheduler_, SimWorld::Crash::kPower);
}

void SimCluster::rebuild_without_journal(const std::vector<std::string>& given_up) {
  lose_journal();
  rebuilds_ = true;
  given_up_ = given_up;
  restart(*scheduler_);
}

void SimCluster::start_without_journal(StartMode mode) {
  lose_journal();
  false_start_ = {mode, std::nullopt};
  restart(*scheduler_);
}

std::vector<std::string> SimCluster::published_checkpoints() const {
  std::vector<std::string> published;
  const auto names = list_checkpoints(scheduler_->storage(), config().checkpoint.path);
  for (const CheckpointName& name : names.ok() ? *names : std::vector<CheckpointName>()) {
    const auto found = is_published(scheduler_->storage(), name.directory);
    if (found.ok() && *found) published.push_back(name.directory);
  }
  return published;
}

// It has met a node of the job that lives. Anything else that stops it, such as a disk, is no reason to give
// up: it is started in the same way again.
void SimCluster::see_false_start_end(const std::string& why) {
  const bool gives_way = why.find("lives, and a scheduler of this job has welcomed it") != std::string::npos;
  if (!false_start_ || !gives_way) return;
  static const std::string kPlaced = "a false start has placed shards";
  static const std::string kChanged = "a false start has changed the checkpoints";
  if (!scheduler_process()->job().map().empty()) findings_->report(kPlaced);
  if (published_checkpoints() != false_start_->checkpoints) findings_->report(kChanged);
  false_start_.reset();
  rebuilds_ = true;
}

}  // namespace capstan
