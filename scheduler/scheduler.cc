#include "scheduler/scheduler.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/rpc.h"
#include "common/wire/codec.h"
#include "scheduler/json.h"
#include "scheduler/report.h"
#include "scheduler/scheduler_metrics.h"
#include "scheduler/status.h"

namespace capstan {

namespace {

// For the last messages to leave, and for stragglers to ask.
constexpr std::chrono::milliseconds kFarewell{300};
// For the last counters to come, and when they are asked for again.
constexpr std::chrono::milliseconds kCountPatience{1000}, kCountPatienceOnFailure{300}, kCountAgain{100};
constexpr std::uint64_t kCountRequest = 1, kMapRequest = 2;

template <typename... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overload(Ts...) -> Overload<Ts...>;

// What a server counted under an older map may be another's by now.
bool knows_map(const Node& node, const Result<json::object>& stats, std::uint64_t map_version) {
  if (node.role != Role::kServer || !stats.ok()) return true;
  const json::value* map = stats->if_contains("map");
  if (map == nullptr || !map->is_object()) return true;
  std::uint64_t version = 0;
  JsonReader(map->get_object()).unsigned_of("version", version);
  return version >= map_version;
}

// Of several schedulers a node notices after a lease that its own is silent, and then asks one after the
// other.
Duration first_term(const SchedulerOptions& options) {
  const auto lease = std::chrono::milliseconds(options.config.cluster.lease_ms);
  const bool several = options.journal != nullptr;
  return several ? 2 * lease : lease;
}

}  // namespace

Scheduler::Scheduler(EventLoop& loop, Transport& transport, Storage& storage, Log log,
                     SchedulerOptions options)
    : loop_(loop),
      transport_(transport),
      storage_(storage),
      log_(std::move(log)),
      options_(std::move(options)),
      file_journal_(storage, options_.config.work_dir + "/journal"),
      journal_(options_.journal != nullptr ? *options_.journal : file_journal_),
      membership_(std::chrono::milliseconds(options_.config.cluster.lease_ms), first_term(options_)),
      peers_(transport, log_),
      job_(JobContext{loop_, storage_, journal_, log_, options_, membership_, peers_},
           [this](bool ok, const std::string& text) { on_job_end(ok, text); }),
      trace_(loop, membership_, peers_),
      tick_timer_(loop),
      end_timer_(loop) {}

Scheduler::~Scheduler() {
  transport_.on_message([](PeerId, const Frames&) {});
}

Result<std::string> Scheduler::start(EndHandler on_finished) {
  on_finished_ = std::move(on_finished);
  CAPSTAN_TRY(job_.start());
  transport_.on_message([this](PeerId from, const Frames& frames) { on_frames(from, frames); });
  const std::string& wanted = options_.bind.empty() ? options_.config.cluster.scheduler : options_.bind;
  auto endpoint = transport_.bind(wanted);
  if (!endpoint.ok()) return endpoint.error();
  tick();
  return endpoint;
}

// Looked at whenever something is to happen. Before the clock says no, other words may still be on their way
// under this leadership: a successor gives every node a lease before it changes anything.
bool Scheduler::leads() {
  if (job_.halted()) return false;
  if (const std::string lost = journal_.lost_lead(); !lost.empty()) {
    job_.halt(make_error(ErrorCode::kRefused, lost));
    return false;
  }
  const bool leads = loop_.now() < journal_.leads_until();
  if (!leads && !std::exchange(stands_still_, true)) {
    log_.warn(
        "{} has not confirmed that this scheduler leads: it answers nobody until it does; servers and "
        "workers go on for {} s (cluster.scheduler_grace)",
        journal_.engine(), options_.config.cluster.scheduler_grace_ms / 1000);
  }
  if (leads && std::exchange(stands_still_, false))
    log_.info("{} answers: this scheduler leads on", journal_.engine());
  return leads;
}

void Scheduler::on_frames(PeerId from, const Frames& frames) {
  if (!leads() || job_.gives_way()) return;
  auto decoded = decode(frames);
  if (!decoded.ok()) return peers_.drop(from, decoded.error().message);
  const std::uint64_t request_id = decoded->request_id;
  const Message& message = decoded->message;
  if (const auto* hello = std::get_if<Hello>(&message)) return on_hello(from, request_id, *hello);
  if (job_.rebuilding() && waiting_.contains(from)) return on_waiting(from, request_id, message);
  const Peer* peer = peers_.find(from);
  if (peer == nullptr) {
    return peers_.refuse(from, RefusalReason::kNotGreeted, "say hello first", request_id);
  }
  if (const auto* wanted = std::get_if<TraceRequest>(&message))
    return trace_.begin(from, request_id, *wanted);
  if (const auto reply = answer_anyone(message); reply.has_value())
    return peers_.send(from, *reply, request_id);
  const Node* node = membership_.find(peer->node);
  if (node != nullptr) on_member(from, request_id, *node, message);
}

void Scheduler::on_hello(PeerId from, std::uint64_t request_id, const Hello& hello) {
  const std::string& job = options_.config.name;
  if (!transport_.may_act_as(from, to_string(hello.role))) {
    Refusal refusal = refusal_of_role(hello);
    return peers_.refuse(from, refusal.reason, std::move(refusal.text), request_id);
  }
  if (hello.protocol_version != kProtocolVersion) {
    return peers_.refuse(from, RefusalReason::kOtherVersion,
                         fmt::format("{} speaks protocol {}, the scheduler {}", hello.name,
                                     hello.protocol_version, kProtocolVersion),
                         request_id);
  }
  if (hello.job_id != job) {
    return peers_.refuse(
        from, RefusalReason::kOtherJob,
        fmt::format("{} belongs to job {}, this is the scheduler of {}", hello.name, hello.job_id, job),
        request_id);
  }
  if (job_.ended()) {
    return peers_.refuse(from, RefusalReason::kJobEnded, "the job has ended: " + job_.facts().end_text,
                         request_id);
  }
  if (knows_more(hello)) return job_.give_way(hello.name);
  if (job_.rebuilding() && hello.role != Role::kTool) return ask_for_map(from, request_id, hello);
  Welcome welcome;
  welcome.generation = job_.facts().generation;
  welcome.job_text = options_.job_text;
  welcome.run = job_.run_began();
  Peer peer{hello.role, 0};
  if (hello.role == Role::kServer || hello.role == Role::kWorker) {
    const Greeting greeting = membership_.greet(within_limit(hello), from, loop_.now());
    if (greeting.outcome == Greeting::Outcome::kRefused) {
      return peers_.refuse(from, RefusalReason::kNameTaken, greeting.text, request_id);
    }
    const Node* node = membership_.find(greeting.id);
    peer.node = welcome.node_id = greeting.id;
    welcome.lease_ms = static_cast<std::uint32_t>(options_.config.cluster.lease_ms);
    welcome.catch_up_rate = options_.config.cluster.catch_up_rate;
    welcome.grace_ms = static_cast<std::uint32_t>(options_.config.cluster.scheduler_grace_ms);
    peers_.add(from, peer);
    if (greeting.outcome != Greeting::Outcome::kAgain && !job_.remember(*node)) return;
    peers_.send(from, welcome, request_id);
    job_.on_greeted(*node, greeting.outcome);
  } else {
    peers_.add(from, peer);
    peers_.send(from, welcome, request_id);
  }
}

// What a server keeps its rows within is the job's to say, too: it learns it from the map.
Hello Scheduler::within_limit(Hello hello) const {
  const std::uint64_t most = options_.config.cluster.memory_limit;
  if (hello.role != Role::kServer || most == 0) return hello;
  hello.memory_limit = hello.memory_limit == 0 ? most : std::min(hello.memory_limit, most);
  return hello;
}

// Each start of a scheduler has a higher generation than all before, if it has their journal.
bool Scheduler::knows_more(const Hello& hello) const {
  const std::uint32_t ours = job_.facts().generation;
  if (job_.rebuilding() || hello.generation == 0) return false;
  // It is of a run that nobody said was to end.
  if (job_.began_anew() && hello.generation < job_.run_began()) return true;
  const Node* welcomed = membership_.find(hello.name);
  const bool unknown = welcomed == nullptr || welcomed->role != hello.role;
  // Another scheduler's run may have begun with the same generation, where both had no journal.
  if (hello.generation < ours) return unknown && hello.run == job_.run_began() && job_.knows_everybody();
  return hello.generation > ours || unknown;
}

// It is welcomed when the job is rebuilt.
void Scheduler::ask_for_map(PeerId from, std::uint64_t request_id, const Hello& hello) {
  if (waiting_.size() >= Membership::kNodesMax) return;
  waiting_[from] = {request_id, within_limit(hello)};
  if (hello.role == Role::kServer) peers_.send(from, MapRequest{}, kMapRequest);
}

void Scheduler::on_waiting(PeerId from, std::uint64_t request_id, const Message& message) {
  const auto* map = std::get_if<MapUpdate>(&message);
  if (map == nullptr) return peers_.refuse(from, RefusalReason::kNotGreeted, "say hello first", request_id);
  job_.hear_of_shards(waiting_.at(from).hello, *map);
  if (job_.rebuilding()) return;
  for (const auto& [peer, waiting] : std::exchange(waiting_, {})) {
    on_hello(peer, waiting.request_id, waiting.hello);
  }
}

std::optional<Message> Scheduler::answer_anyone(const Message& message) {
  if (std::holds_alternative<StatusRequest>(message)) return StatusReply{status()};
  if (const auto* request = std::get_if<MapRequest>(&message)) {
    return job_.map().update_since(request->known_version);
  }
  if (std::holds_alternative<TablesRequest>(message)) {
    const auto& agreed = job_.facts().agreed;
    return TablesReply{agreed.has_value() ? agreed->tables : std::vector<TableSpec>()};
  }
  if (const auto* wish = std::get_if<ChangeServers>(&message)) return job_.change_servers(*wish);
  if (const auto* stop = std::get_if<StopJob>(&message)) {
    job_.stop(stop->reason, stop->checkpoint);
    return StatusReply{status()};
  }
  return std::nullopt;
}

void Scheduler::on_member(PeerId from, std::uint64_t request_id, const Node& node, const Message& message) {
  if (told_) return peers_.send(from, JobEnded{ok_, end_text_});
  if (!node.alive) return peers_.refuse(from, RefusalReason::kNotGreeted, "your lease has ended", request_id);
  const auto reply = answer(node, request_id, message);
  if (reply.has_value()) peers_.send(from, *reply, request_id);
}

std::optional<Message> Scheduler::answer(const Node& node, std::uint64_t request_id, const Message& message) {
  using Reply = std::optional<Message>;
  return std::visit(Overload{
                        [&](const Heartbeat& m) -> Reply { return on_heartbeat(node, m); },
                        [&](const WorkerReady& m) -> Reply {
                          job_.on_worker_ready(node, m);
                          return std::nullopt;
                        },
                        [&](const WorkRequest& m) -> Reply { return job_.on_work_request(node, m); },
                        [&](const WorkProgress& m) -> Reply { return job_.on_work_progress(node, m); },
                        [&](const WorkDone& m) -> Reply { return job_.on_work_done(node, m); },
                        [&](const TablesReady& m) -> Reply {
                          job_.on_tables_ready(node, request_id, m);
                          return std::nullopt;
                        },
                        [&](const RestoreReply& m) -> Reply {
                          job_.on_restore_reply(node, request_id, m);
                          return std::nullopt;
                        },
                        [&](const SnapshotReply& m) -> Reply {
                          job_.on_snapshot_reply(node, request_id, m);
                          return std::nullopt;
                        },
                        [&](const TraceReply& m) -> Reply {
                          trace_.on_reply(node, request_id, m);
                          return std::nullopt;
                        },
                        [&](const LearnersReady& m) -> Reply {
                          job_.on_learners_ready(node, m);
                          return std::nullopt;
                        },
                        [&](const HandedOver& m) -> Reply {
                          job_.on_handed_over(node, m);
                          return std::nullopt;
                        },
                        [&](const StatusReply& m) -> Reply {
                          on_stats(node, m);
                          return std::nullopt;
                        },
                        [&](const auto&) -> Reply { return std::nullopt; },
                    },
                    message);
}

Message Scheduler::on_heartbeat(const Node& node, const Heartbeat& heartbeat) {
  if (!membership_.heartbeat(heartbeat, loop_.now())) {
    return Refusal{RefusalReason::kNotGreeted, "another process has taken over this name"};
  }
  job_.on_heartbeat(node, heartbeat);
  return HeartbeatReply{heartbeat.sent_at, lease_ms(), job_.map().version()};
}

// Not beyond the scheduler's own leadership.
std::uint32_t Scheduler::lease_ms() const {
  const std::chrono::milliseconds lease(options_.config.cluster.lease_ms);
  const Duration left = std::max(journal_.leads_until() - loop_.now(), Duration(0));
  return static_cast<std::uint32_t>(
      std::min(lease, std::chrono::duration_cast<std::chrono::milliseconds>(left)).count());
}

void Scheduler::tick() {
  const auto lease = std::chrono::milliseconds(options_.config.cluster.lease_ms);
  const auto pause = std::max<Duration>(lease / 16, std::chrono::milliseconds(20));
  tick_timer_.start(pause, [this] { tick(); });
  if (!leads()) return;
  const Duration stood_still = last_tick_ == Instant{} ? Duration(0) : loop_.now() - last_tick_;
  last_tick_ = loop_.now();
  if (stood_still > lease / 2) {
    membership_.spare(loop_.now());
    job_.spare(stood_still);
  }
  if (job_.rebuilding()) return;
  for (const NodeId id : membership_.expire(loop_.now())) job_.on_lease_ended(*membership_.find(id));
  job_.tick();
  speed_.note(loop_.now(), job_.examples_so_far());
  note_history();
}

std::string Scheduler::status() const {
  return status_json(options_, job_, membership_, peers_, speed_, loop_.now());
}

void Scheduler::note_history() {
  if (job_.facts().state != JobState::kRunning) return;
  history_.note(loop_.now(), job_.examples_so_far(), speed_.per_second(), job_.loss());
}

std::string Scheduler::page_status() const {
  return page_json(options_, job_, membership_, peers_, speed_, loop_.now());
}

void Scheduler::add_metrics(Metrics& out) const {
  add_job_metrics(job_, membership_, peers_, speed_, loop_.now(), out);
}

void Scheduler::on_job_end(bool ok, const std::string& text) {
  ok_ = ok;
  end_text_ = text;
  if (job_.halted()) {
    peers_.hush();
    end_timer_.start(Duration(0), [this] {
      if (on_finished_) on_finished_(ok_, end_text_);
    });
    return;
  }
  count_by_ = loop_.now() + (ok ? kCountPatience : kCountPatienceOnFailure);
  for (const auto& [id, node] : membership_.nodes()) {
    if (node.alive && node.peer != 0) {
      uncounted_.insert(id);
    } else if (node.role == Role::kServer) {
      give_up_counting(node);
    }
  }
  ask_for_stats();
}

void Scheduler::ask_for_stats() {
  if (uncounted_.empty() || loop_.now() >= count_by_) return report_and_tell();
  for (const NodeId id : uncounted_) peers_.send(membership_.find(id)->peer, StatusRequest{}, kCountRequest);
  end_timer_.start(kCountAgain, [this] { ask_for_stats(); });
}

void Scheduler::on_stats(const Node& node, const StatusReply& reply) {
  const auto stats = parse_json_object(reply.json);
  if (!uncounted_.contains(node.id) || !knows_map(node, stats, job_.map().version())) return;
  uncounted_.erase(node.id);
  const auto number = [&](const char* name, std::uint64_t otherwise) {
    std::uint64_t value = otherwise;
    if (stats.ok() && stats->contains(name)) JsonReader(*stats).unsigned_of(name, value);
    return value;
  };
  membership_.take_stats(node.id, reply.json, number("rows", node.rows), number("bytes", node.bytes));
  if (uncounted_.empty()) report_and_tell();
}

// Its shards are others', or their counts are not known.
void Scheduler::give_up_counting(const Node& node) {
  job_.note_uncounted(node);
  if (node.role == Role::kServer) membership_.drop_stats(node.id);
}

void Scheduler::report_and_tell() {
  for (const NodeId id : std::exchange(uncounted_, {})) give_up_counting(*membership_.find(id));
  if (!options_.config.report.empty()) {
    const std::string report = report_json(options_, job_, membership_, peers_, loop_.now());
    const Status written = write_report(storage_, options_.config.report, report, job_.facts().report_values);
    if (!written.ok()) {
      log_.error("{}", written.error().message);
      ok_ = false;
      end_text_ += "\n" + written.error().message;
    }
  }
  told_ = true;
  peers_.broadcast(JobEnded{ok_, end_text_});
  end_timer_.start(kFarewell, [this] {
    job_.remove_unpublished();
    if (on_finished_) on_finished_(ok_, end_text_);
  });
}

}  // namespace capstan
