#include "common/scheduler_link.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "common/planted_bugs.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kGreetTimeout = 1s;
constexpr Duration kGreetPause = 200ms;
constexpr Duration kMapTimeout = 1s;

}  // namespace

SchedulerLink::SchedulerLink(EventLoop& loop, Transport& transport, Rpc& rpc, const Log& log, Hello hello,
                             Hooks hooks)
    : loop_(loop),
      transport_(transport),
      rpc_(rpc),
      log_(log),
      hello_(std::move(hello)),
      hooks_(std::move(hooks)),
      timer_(loop) {}

Status SchedulerLink::start(const std::string& endpoints, Duration patience) {
  CAPSTAN_TRY(schedulers_.connect(transport_, endpoints));
  if (patience > Duration(0)) give_up_at_ = loop_.now() + patience;
  greet();
  return ok_status();
}

void SchedulerLink::greet() {
  rpc_.call(peer(), hello_, kGreetTimeout,
            [this, sent = loop_.now()](const Result<Message>& reply) { on_greeting(sent, reply); });
}

void SchedulerLink::on_greeting(Instant sent, const Result<Message>& reply) {
  const ErrorCode refusal = reply.ok() ? ErrorCode::kTimeout : reply.error().code;
  // A process started in place of one that died must wait until the dead one's lease has ended. One that had
  // the name and lost it has been replaced for good.
  if (refusal == ErrorCode::kRefused || (refusal == ErrorCode::kTaken && welcomed_)) {
    hooks_.on_refused(reply.error().message);
    return;
  }
  if (refusal == ErrorCode::kTaken && !std::exchange(waits_for_name_, true)) {
    log_.info("waiting for the name {}: {}", hello_.name, reply.error().message);
  }
  if (refusal == ErrorCode::kTimeout && !welcomed_ && !std::exchange(waits_for_answer_, true)) {
    log_.info("no scheduler answers at {} yet; trying on", schedulers_.endpoints());
  }
  // Whatever kept an answer away: time, or a connection that was not let in.
  const bool answered = reply.ok() || refusal == ErrorCode::kTaken;
  if (!answered && !welcomed_ && loop_.now() >= give_up_at_) {
    hooks_.on_refused(fmt::format("no scheduler has answered at {}: is it running, and is that its address?",
                                  schedulers_.endpoints()));
    return;
  }
  const auto* welcome = reply.ok() ? std::get_if<Welcome>(&*reply) : nullptr;
  if (welcome == nullptr || welcome->generation < generation_) {
    if (welcome != nullptr || refusal == ErrorCode::kTimeout) schedulers_.ask_next();
    timer_.start(kGreetPause, [this] { greet(); });
    return;
  }
  const bool first = !welcomed_;
  welcomed_ = true;
  generation_ = hello_.generation = welcome->generation;
  hello_.run = welcome->run;
  node_id_ = welcome->node_id;
  lease_ = std::chrono::milliseconds(welcome->lease_ms);
  heard_at_ = std::max(heard_at_, sent);
  hooks_.on_welcome(*welcome, first);
  beat();
}

// Not a word that the other would have to keep: greeting it is asking whether it leads.
void SchedulerLink::ask_next() {
  schedulers_.ask_next();
  fetching_map_ = false;
  greet();
}

void SchedulerLink::beat() {
  if (schedulers_.several() && loop_.now() - heard_at_ >= lease_) return ask_next();
  const bool had_lease = lease_until_ != Instant{};
  if (had_lease && scheduler_silent() && !std::exchange(told_of_silence_, true)) {
    log_.warn("no answer from the scheduler at {} for half a lease and more", schedulers_.endpoints());
  }
  Heartbeat heartbeat;
  heartbeat.node_id = node_id_;
  heartbeat.incarnation = hello_.incarnation;
  heartbeat.sent_at = loop_.now().time_since_epoch().count();
  heartbeat.map_version = map_.version();
  hooks_.fill_heartbeat(heartbeat);
  rpc_.call(peer(), heartbeat, lease_, [this](Result<Message> reply) { on_heartbeat_reply(reply); });
  timer_.start(lease_ / 4, [this] { beat(); });
}

void SchedulerLink::on_heartbeat_reply(const Result<Message>& reply) {
  if (!reply.ok()) {
    if (reply.error().code != ErrorCode::kUnavailable) return;  // silence: the timer asks again
    timer_.start(Duration(0), [this] { greet(); });
    return;
  }
  const auto* answer = std::get_if<HeartbeatReply>(&*reply);
  if (answer == nullptr) return;
  if (std::exchange(told_of_silence_, false)) log_.info("the scheduler answers again");
  const Instant sent{Duration(answer->sent_at)};
  heard_at_ = std::max(heard_at_, sent);
  const Duration granted = std::chrono::milliseconds(answer->lease_ms);
  next_lease_until_ = std::max(next_lease_until_, sent + granted * 9 / 10);
  next_lease_map_ = std::max(next_lease_map_, answer->map_version);
  take_lease();
  if (answer->map_version > map_.version()) refresh_map();
}

void SchedulerLink::refresh_map() {
  if (fetching_map_ || !welcomed_) return;
  fetching_map_ = true;
  rpc_.call(peer(), MapRequest{map_.version()}, kMapTimeout, [this](Result<Message> reply) {
    fetching_map_ = false;
    if (!reply.ok()) return;
    if (const auto* update = std::get_if<MapUpdate>(&*reply)) take_map(*update);
  });
}

void SchedulerLink::take_map(const MapUpdate& update) {
  // Nodes may have other numbers under the scheduler that made it: our own comes with its welcome.
  if (update.version >> 32 > generation_ && !CAPSTAN_PLANTED(kMapBeforeWelcome)) {
    timer_.start(Duration(0), [this] { greet(); });
    return;
  }
  const std::uint64_t before = map_.version();
  if (const Status taken = map_.apply(update); !taken.ok()) {
    log_.error("shard map {} refused: {}", update.version, taken.error().message);
    return;
  }
  take_lease();
  if (map_.version() != before) hooks_.on_map();
}

void SchedulerLink::take_lease() {
  const bool knows_map = next_lease_map_ <= map_.version() || CAPSTAN_PLANTED(kLeaseBeforeMap);
  if (knows_map) lease_until_ = next_lease_until_;
}

bool SchedulerLink::on_notification(const Message& message) {
  const auto* update = std::get_if<MapUpdate>(&message);
  if (update == nullptr) return false;
  take_map(*update);
  return true;
}

}  // namespace capstan
