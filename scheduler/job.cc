#include "scheduler/job.h"

#include <spdlog/fmt/fmt.h>

#include "common/units.h"
#include "scheduler/agreement.h"
#include "scheduler/node_stats.h"
#include "scheduler/passed_over.h"

namespace capstan {
namespace {

constexpr std::chrono::seconds kStandstill{60};  // before anybody is told

}  // namespace

Job::Job(const JobContext& context, EndHandler on_end)
    : context_(context), on_end_(std::move(on_end)), work_(0) {
  facts_.started = waiting_since_ = context_.loop.now();
  const CheckpointConfig& checkpoint = options().config.checkpoint;
  if (keeps_checkpoints()) cut_schedule_ = CutSchedule(checkpoint.every_steps, checkpoint.every_seconds);
}

void Job::warn(const std::string& text) {
  context_.log.warn("{}", text);
  facts_.warn(text);
}

bool Job::record(const JournalRecord& record) {
  if (!journal_begun_) return true;  // rebuilding: there is nothing yet to go on from
  const Instant begun = context_.loop.now();
  const Status written = context_.journal.append(record);
  if (!written.ok()) halt(written.error());
  tell_slow_journal(context_.loop.now() - begun);
  if (journal_has_room_ != context_.journal.has_room().ok()) {
    journal_has_room_ = !journal_has_room_;
    tell_journals_room();
  }
  return written.ok();
}

void Job::tell_journals_room() {
  if (journal_has_room_) {
    context_.log.info("the journal's disk has room again");
    return;
  }
  const std::string text = fmt::format(
      "the journal's disk is full: {}. Training goes on; {} KiB were set aside for the journal, "
      "and when they are used up the scheduler stops: make room there",
      context_.journal.has_room().error().message, context_.journal.room() / 1024);
  warn(text);
}

// Nobody is answered while a record is written.
void Job::tell_slow_journal(Duration took) {
  constexpr std::chrono::milliseconds kSlow{500};
  constexpr std::chrono::seconds kPause{60};
  const Instant now = context_.loop.now();
  if (took < kSlow || (slow_journal_told_ != Instant{} && now - slow_journal_told_ < kPause)) return;
  slow_journal_told_ = now;
  const std::string text =
      fmt::format("{} is slow: a record took {:.1f} s, and the scheduler answered nobody meanwhile",
                  context_.journal.engine(), seconds_of(took));
  warn(text);
}

void Job::enter(JobState state) {
  if (facts_.state == state) return;
  if (state == JobState::kWaiting) waiting_since_ = context_.loop.now();
  facts_.state = state;
  context_.log.info("job {}: {}", options().config.name, to_string(state));
}

bool Job::remember(const Node& node) {
  context_.log.info("{} is here ({}, host {})", node.name,
                    node.endpoint.empty() ? "no endpoint" : node.endpoint, node.host);
  return record(NodeGreeted{node.id, node.role, node.name, node.endpoint, node.host, node.zone,
                            node.incarnation, node.memory_limit});
}

void Job::on_greeted(const Node& node, Greeting::Outcome outcome) {
  if (ended_) return;
  if (node.role == Role::kServer) {
    hear_again(node.id);
    map_.set_address({node.id, node.name, node.endpoint, node.memory_limit});
    if (outcome == Greeting::Outcome::kReplaced) draining_.erase(node.id);
    if (outcome == Greeting::Outcome::kReplaced) on_server_lost(node, "was restarted");
    errands_.resend(node.id);
    send_errands();
  } else if (outcome == Greeting::Outcome::kReplaced) {
    work_.release(node.id);
    direct_.abandon(node.id);
  }
  count_ready_workers();
  check_gathered();
}

void Job::on_lease_ended(const Node& node) {
  if (ended_) return;
  if (draining_.contains(node.id) && holds_nothing(node.id)) {
    context_.log.info("{} has left", node.name);
    return;
  }
  context_.log.warn("{} has not been heard for its lease", node.name);
  if (node.role == Role::kWorker) {
    count_ready_workers();
    direct_.release(node.id, context_.loop.now());
    const std::size_t items = work_.release(node.id);
    if (items > 0) facts_.warn(fmt::format("{} was lost; {} work items go on elsewhere", node.name, items));
  } else {
    // A server without living backups may come back with its rows until its lease and the grace are over.
    lost_servers_[node.id] = context_.loop.now();
    drop_silent_servers();
    if (ended_) return;
  }
  check_gathered();
}

// A server counts after it has evicted what it may. What it says of shards that it does not lead is old.
void Job::on_heartbeat(const Node& node, const Heartbeat& heartbeat) {
  std::vector<ShardLoad> loads = heartbeat.loads;
  std::erase_if(loads, [&](const ShardLoad& load) {
    return map_.empty() || load.shard >= map_.num_shards() ||
           map_.entries()[load.shard].chain.front() != node.id;
  });
  loads_.note(loads);
  watch_memory(node);
  watch_links(node);
}

// Each is told once, of being beyond the limit each time. A server that evicts is near its limit, so others'
// counters need not be read.
void Job::watch_memory(const Node& node) {
  if (ended_ || node.memory_limit == 0 || node.bytes < node.memory_limit / 2) return;
  constexpr const char* kRemedy = "raise cluster.memory_limit or add servers";
  if (node.bytes <= node.memory_limit) over_memory_.erase(node.id);
  if (node.bytes > node.memory_limit && over_memory_.insert(node.id).second) {
    warn(
        fmt::format("{} cannot keep its memory limit: its tables take {:.1f} MiB of {:.1f} MiB with all "
                    "evicted that may be; {}",
                    node.name, in_mib(node.bytes), in_mib(node.memory_limit), kRemedy));
  }
  if (evicts_for_memory_.contains(node.id)) return;
  const json::object stats = stats_of(node);
  std::uint64_t evicted = 0;
  JsonReader(stats).unsigned_of("rows_evicted_for_memory", evicted);
  if (evicted == 0) return;
  evicts_for_memory_.insert(node.id);
  warn(fmt::format(
      "{} has reached its memory limit, {:.1f} MiB: it evicts the rows that nobody has pushed for "
      "longest, and what they had learned is lost; {}",
      node.name, in_mib(node.memory_limit), kRemedy));
}

void Job::spare(Duration stood_still) {
  for (auto& [server, since] : lost_servers_) since += stood_still;
}

void Job::tick() {
  if (ended_) return;
  if (gives_way()) return give_way(gives_way_to_);
  const Instant now = context_.loop.now();
  const ClusterConfig& cluster = options().config.cluster;
  const bool gathering = facts_.state == JobState::kWaiting;
  const auto startup = std::chrono::milliseconds(cluster.startup_timeout_ms);
  if (gathering && now - waiting_since_ >= startup) {
    finish(false, fmt::format("gave up after {} s: {}", cluster.startup_timeout_ms / 1000, waits_for()));
    return;
  }
  for (const NodeId id : std::exchange(restarted_, {})) {
    on_server_lost(*context_.membership.find(id), "was restarted");
  }
  if (ended_) return;
  if (going_back_.has_value()) go_back();
  if (ended_) return;
  const auto grace = std::chrono::milliseconds(cluster.scheduler_grace_ms);
  for (auto lost = lost_servers_.begin(); lost != lost_servers_.end();) {
    const auto [id, since] = *lost;
    lost = now - since < grace ? std::next(lost) : lost_servers_.erase(lost);
    if (now - since < grace) continue;
    on_server_lost(*context_.membership.find(id),
                   fmt::format("was silent for {} s", cluster.scheduler_grace_ms / 1000));
    if (ended_) return;
  }
  if (plan_.has_value() && !is_direct()) {
    if (context_.membership.count_alive(Role::kWorker) > 0) {
      workers_gone_since_.reset();
    } else if (!workers_gone_since_.has_value()) {
      workers_gone_since_ = now;
    } else if (now - *workers_gone_since_ >= startup) {
      finish(false, "every worker was lost and none came back");
      return;
    }
  }
  if (stop_by_.has_value() && now >= *stop_by_) {
    finish(false, stop_reason_ + "; its last checkpoint could not be finished in time");
    return;
  }
  drop_unreached();
  tend_chains();
  if (ended_) return;
  send_errands();
  check_cut_due();
  watch_progress();
  std::string waits = waits_for();
  if (facts_.state == JobState::kWaiting && waits != waits_for_) context_.log.info("{}", waits);
  waits_for_ = std::move(waits);
}

// Chains that wait for a link, or workers that wait for data, say nothing by themselves.
void Job::watch_progress() {
  const Instant now = context_.loop.now();
  const std::uint64_t steps = steps_so_far();
  const bool goes_on =
      steps != progress_.steps || facts_.state != JobState::kRunning || !progress_.since || is_direct();
  if (goes_on) {
    if (std::exchange(progress_.told, false) && steps != progress_.steps)
      context_.log.info("batches are finished again");
    progress_ = {steps, now, false};
    return;
  }
  const auto still = now - *progress_.since;
  if (progress_.told ||
      still < std::max<Duration>(kStandstill,
                                 10 * std::chrono::milliseconds(options().config.cluster.lease_ms))) {
    return;
  }
  progress_.told = true;
  const std::string waits = waits_for();
  warn(fmt::format(
      "no batch has been finished for {:.0f} s{}; `capstan status` names nodes that do not live or "
      "get no answer",
      seconds_of(still), waits.empty() ? "" : ": " + waits));
}

void Job::on_worker_ready(const Node& node, const WorkerReady& ready) {
  if (ended_ || is_ready(node)) return;
  if (!facts_.agreed.has_value()) {
    if (!ready.error.empty()) return finish(false, fmt::format("{}: {}", node.name, ready.error));
    readies_[node.id] = ready;
  } else {
    const std::string why =
        ready.error.empty() ? disagreement(*facts_.agreed, node.name, ready) : ready.error;
    if (!why.empty()) {
      return warn(fmt::format("{} gets no work: {}", node.name, why));
    }
  }
  if (!record(NodeReady{node.id, node.incarnation})) return;
  ready_[node.id] = node.incarnation;
  count_ready_workers();
  check_gathered();
}

// Starts the job once every node that it asks for is here and has prepared.
void Job::check_gathered() {
  if (ended_ || facts_.agreed.has_value()) return;
  const ClusterConfig& cluster = options().config.cluster;
  const Membership& nodes = context_.membership;
  const std::uint32_t servers = map_.empty() ? cluster.servers : 0;  // else those that hold it are here
  if (nodes.count_alive(Role::kServer) < servers || nodes.count_alive(Role::kWorker) < cluster.workers) {
    return enter(JobState::kWaiting);
  }
  for (const auto& [id, node] : nodes.nodes()) {
    if (node.alive && node.peer == 0) return enter(JobState::kWaiting);  // from the journal, perhaps dead
  }
  enter(JobState::kPreparing);
  if (ready_workers_ >= cluster.workers) settle_tables();
}

bool Job::change_map(const std::vector<ShardEntry>& wanted, const std::set<std::uint32_t>& renewed) {
  MapChanged changed{map_.changes(wanted, facts_.generation, renewed)};
  if (changed.shards.empty()) return true;
  if (!record(changed)) return false;
  map_.apply(changed.shards);
  context_.log.info("shard map {}: {} shards changed", map_.version(), changed.shards.size());
  for (const ShardEntry& entry : changed.shards) {
    context_.log.debug("shard {}: chain {}, learner {}", entry.shard, fmt::join(entry.chain, " "),
                       entry.learner);
  }
  return true;
}

void Job::send_errands() {
  if (errands_.idle()) return;
  for (const NodeId server : errands_.take_due(context_.loop.now())) {
    const Errands::Errand* errand = errands_.find(server);
    const Node* node = context_.membership.find(server);
    if (node == nullptr || node->peer == 0) continue;
    // The server must know its shards before it is asked anything about them.
    if (node->map_version < map_.version())
      context_.peers.send(node->peer, map_.update_since(node->map_version));
    context_.peers.send(node->peer, errand->request, errand->request_id);
  }
}

void Job::on_restore_reply(const Node& node, std::uint64_t request_id, const RestoreReply& reply) {
  if (ended_ || !errands_.answered(node.id, request_id)) return;
  if (!reply.error.empty()) {
    const std::string damage = fmt::format("{} could not restore the checkpoint: {}", node.name, reply.error);
    const bool may_choose = reply.damaged && resume_.has_value() &&
                            resume_directory_ != options().resume_from && !options().evaluate_only;
    if (may_choose) return fall_back(passed_over(resume_directory_, damage), reply);
    facts_.counted = false;  // what the rows are that were there before, nobody can say now
    return finish(false, damage);
  }
  if (!errands_.idle()) return;
  if (resume_.has_value()) {
    context_.log.info("restored {}", resume_directory_);
    facts_.resumed_from = resume_directory_;
    resume_streams_ = std::move(resume_->streams);
    resume_.reset();
  } else {
    plan_->note_restored();
    facts_.rows_of_pass = step_.pass;
  }
  carry_out();
}

void Job::carry_out() {
  if (ended_ || cut_before_going_on()) return;
  step_ = plan_->next();
  facts_.best_pass = plan_->best_pass();
  facts_.stopped_early = plan_->stopped_early();
  switch (step_.kind) {
    case PlanStep::Kind::kTrain:
      return begin_pass(step_.pass);
    case PlanStep::Kind::kValidate:
      return begin_parts(true);
    case PlanStep::Kind::kKeepBest:
    case PlanStep::Kind::kKeepLast:
      if (!cut_.has_value()) begin_cut(CutPurpose::kPlan);
      return;
    case PlanStep::Kind::kRestoreBest:
      return restore_best();
    case PlanStep::Kind::kEvaluate:
      return begin_parts(false);
    case PlanStep::Kind::kReport:
      return begin_merge("report", part_results_);
    case PlanStep::Kind::kDone:
      return finish_plan();
  }
}

void Job::begin_pass(std::uint32_t pass) {
  if (!record(StateReached{"running", pass, ""})) return;
  enter(JobState::kRunning);
  facts_.pass = pass;
  facts_.trained_since = context_.loop.now();
  if (!trains_) cut_schedule_.begun(steps_so_far(), context_.loop.now());
  trains_ = true;
  work_.clear();
  if (is_direct()) return;  // until it is told to end
  for (std::uint32_t p = 0; p < facts_.num_partitions; ++p) {
    work_.add(WorkId{kTrainWork, pass, p, ""}, facts_.num_partitions);
  }
  for (const StreamState& stream : std::exchange(resume_streams_, {})) {
    if (stream.cursor.work.pass == pass)
      work_.recover(stream.cursor, totals_of(stream.cursor), 0, stream.done);
  }
  if (work_.all_done()) end_pass();
}

void Job::end_pass() {
  const WorkTotals totals = work_.totals();
  const Duration spent = context_.loop.now() - facts_.trained_since;
  const PassFinished pass{facts_.pass,       totals.examples, totals.bad_batches, work_.loss_sum(),
                          seconds_of(spent), totals.slices,   steps_of_pass()};
  if (!record(pass)) return;
  facts_.training += spent;
  facts_.passes.push_back(pass);
  std::uint64_t trained_here = 0;
  for (const auto& [id, examples] : work_.examples_by_worker()) trained_here += examples;
  facts_.trained_here = trained_here;
  facts_.examples_by_worker = work_.examples_by_worker();
  context_.log.info("pass {} of {}: {} examples, loss {:.5f}", pass.pass + 1, options().config.train.passes,
                    pass.examples,
                    pass.examples == 0 ? 0.0 : pass.loss_sum / static_cast<double>(pass.examples));
  plan_->note_pass(pass.pass);
  work_.clear();
  carry_out();
}

}  // namespace capstan
