#include "cli/etcd_lead.h"

#include <spdlog/fmt/fmt.h>

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kAskEvery = 300ms, kBeatEvery = 500ms;

}  // namespace

EtcdLead::EtcdLead(const JobConfig& job, std::string holder, AsioLoop& loop, const Log& log)
    : loop_(loop),
      log_(log),
      leadership_({EtcdJournal::leader_key(EtcdJournal::root_of(job.name)), std::move(holder),
                   job.scheduler.lease_seconds, [&loop] { return loop.now(); }}),
      election_(job.scheduler.endpoints),
      records_(job.scheduler.endpoints),
      journal_(records_, &leadership_, log,
               {EtcdJournal::root_of(job.name),
                std::max<Duration>(std::chrono::milliseconds(job.cluster.scheduler_grace_ms),
                                   std::chrono::seconds(job.scheduler.lease_seconds)),
                [&loop] { return loop.now(); }}),
      timer_(loop),
      patience_(std::chrono::seconds(2 * job.scheduler.lease_seconds)) {}

EtcdLead::~EtcdLead() {
  end_thread();
}

bool EtcdLead::wait() {
  loop_.on_signal([this](int) {
    stopped_ = true;
    loop_.stop();
  });
  timer_.start(Duration(0), [this] { campaign(); });
  loop_.run();
  timer_.stop();
  if (stopped_) return false;
  log_.info("leads: {}", election_.place());
  timer_.start(Duration(0), [this] { beat(); });
  keeper_ = std::thread([this] { keep(); });
  return true;
}

void EtcdLead::beat() {
  beat_ = loop_.now().time_since_epoch().count();
  timer_.start(kBeatEvery, [this] { beat(); });
}

// Its nodes hear nothing of such a scheduler: another must be able to lead.
bool EtcdLead::loop_hangs() const {
  const std::int64_t beat = beat_;
  return beat != 0 && loop_.now() - Instant(Duration(beat)) > patience_;
}

void EtcdLead::campaign() {
  const Status won = leadership_.campaign(election_);
  if (won.ok()) {
    loop_.stop();
    return;
  }
  if (won.error().code == ErrorCode::kTaken) {
    waited_ = true;
    say_once(fmt::format("waiting for the lead, held by {}", won.error().message));
  } else {
    say_once(fmt::format("waiting for the lead: {}", won.error().message));
  }
  timer_.start(kAskEvery, [this] { campaign(); });
}

void EtcdLead::say_once(const std::string& text) {
  if (std::exchange(said_, text) != text) log_.info("{}", text);
}

void EtcdLead::keep() {
  bool silent = false;
  std::unique_lock lock(mutex_);
  while (!ends_) {
    lock.unlock();
    const Status renewed = loop_hangs()
                               ? make_error(ErrorCode::kUnavailable, "this scheduler's loop stands still")
                               : leadership_.renew(election_);
    if (!renewed.ok() && renewed.error().code == ErrorCode::kRefused) return;  // the journal says so
    if (!renewed.ok() && !std::exchange(silent, true))
      log_.warn("the lead is not renewed: {}", renewed.error().message);
    if (renewed.ok() && std::exchange(silent, false)) log_.info("the lead is renewed again");
    lock.lock();
    wake_.wait_for(lock, leadership_.renew_every(), [this] { return ends_; });
  }
}

void EtcdLead::end_thread() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  if (keeper_.joinable()) keeper_.join();
}

void EtcdLead::resign() {
  end_thread();
  leadership_.resign(election_);
}

}  // namespace capstan
