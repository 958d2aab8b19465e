#include "sim/sim_scheduler.h"

#include <utility>

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr const char* kRoot = "/capstan/sim";
constexpr std::uint64_t kLeaseSeconds = 2;
constexpr Duration kPatience = 3s;
constexpr Duration kAskEvery = 300ms;

}  // namespace

// Outside, a thread renews the lead: only what the journal asks of the store makes the node stand still.
SimScheduler::SimScheduler(SimNode& node, SimStore& store, const Log& log, SchedulerOptions options,
                           std::size_t journal_value_bytes, Hooks hooks)
    : node_(node),
      log_(log),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      election_(store, node, false),
      records_(store, node, true),
      leadership_({EtcdJournal::leader_key(kRoot), node.name(), kLeaseSeconds,
                   [&node] { return node.loop().now(); }}),
      journal_(records_, &leadership_, log_,
               {kRoot, kPatience, [this] { return records_.now(); }, journal_value_bytes}),
      timer_(node.loop()) {
  timer_.start(Duration(0), [this] { campaign(); });
}

void SimScheduler::campaign() {
  if (!hooks_.may_lead()) return timer_.start(kAskEvery, [this] { campaign(); });
  const Status won = leadership_.campaign(election_);
  if (won.ok()) return lead();
  waited_ = waited_ || won.error().code == ErrorCode::kTaken;
  timer_.start(kAskEvery, [this] { campaign(); });
}

void SimScheduler::lead() {
  if (waited_) {
    const auto records = journal_.read(JournalLines::kKnown);
    if (!records.ok()) return hooks_.on_exit(records.error().message);
    if (ended_state(*records) != nullptr) return leadership_.resign(election_);
  }
  options_.journal = &journal_;
  options_.start = hooks_.start_mode(waited_);
  scheduler_ = std::make_shared<Scheduler>(node_.loop(), node_.transport(), node_.storage(), log_, options_);
  const auto started = scheduler_->start([this](bool, const std::string& text) {
    scheduler_->job().halted() ? hooks_.on_exit(text) : leadership_.resign(election_);
  });
  if (!started.ok()) return hooks_.on_exit(started.error().message);
  renew();
  hooks_.on_lead(scheduler_);
}

void SimScheduler::renew() {
  if (scheduler_->job().ended()) return;
  static_cast<void>(leadership_.renew(election_));
  timer_.start(leadership_.renew_every(), [this] { renew(); });
}

}  // namespace capstan
