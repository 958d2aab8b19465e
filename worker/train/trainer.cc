#include "worker/train/trainer.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kAskTimeout = 2s;
constexpr Duration kAskPause = 50ms;
constexpr Duration kReportPause = 200ms;
constexpr Duration kReportTimeout = 2s;
constexpr Duration kHandInTimeout = 2s;

}  // namespace

Trainer::Trainer(EventLoop& loop, Rpc& rpc, const Log& log, SchedulerLink& link, ServerPeers& peers,
                 TaskPool& tasks, std::shared_ptr<StepProgram> program, TrainOptions options)
    : rpc_(rpc),
      log_(log),
      link_(link),
      puller_(loop, rpc, log, link, peers, program->tables(), options.frame_bytes_max),
      env_{loop, rpc, log, link, peers, puller_, tasks, std::move(program), options, {}},
      ask_timer_(loop),
      report_timer_(loop),
      hand_in_timer_(loop),
      sweep_timer_(loop) {}

void Trainer::start() {
  ask();
  report();
}

void Trainer::resume() {
  puller_.resume();
  for (auto& held : held_) held.run->resume();
}

void Trainer::ask() {
  if (asking_) return;
  asking_ = true;
  WorkRequest request{link_.node_id(), link_.hello().incarnation, 0};
  for (const auto& held : held_) request.held += held.dropped || held.run->finished() ? 0 : 1;
  rpc_.call(link_.peer(), request, kAskTimeout, [this](const Result<Message>& reply) {
    asking_ = false;
    if (reply.ok() && std::holds_alternative<WorkGrant>(*reply)) {
      on_grant(std::get<WorkGrant>(*reply));
    } else if (reply.ok() && std::holds_alternative<NoWork>(*reply)) {
      on_no_work(std::get<NoWork>(*reply));
    } else {
      ask_timer_.start(kAskPause, [this] { ask(); });
    }
  });
}

void Trainer::on_no_work(const NoWork& answer) {
  const Duration wait = std::chrono::milliseconds(answer.wait_ms);
  ask_timer_.start(std::max(wait, kAskPause), [this] { ask(); });
}

void Trainer::on_grant(const WorkGrant& grant) {
  env_.steps = std::max(env_.steps, grant.steps);
  // A grant whose answer was lost comes again under its term.
  const bool have = std::any_of(held_.begin(), held_.end(), [&](const Held& held) {
    return !held.dropped && held.run->cursor().work == grant.work && held.run->cursor().term == grant.term;
  });
  if (!have) {
    const std::uint32_t partition = partition_of_stream(grant.work.partition, grant.num_partitions);
    WorkItem item;
    item.kind = static_cast<WorkKind>(grant.work.kind);
    item.pass = grant.work.pass;
    item.partition = partition;
    item.num_partitions = grant.num_partitions;
    item.name = grant.work.name;
    item.inputs = grant.inputs;
    Held& held = held_.emplace_back();
    held.id = next_id_++;
    held.run = std::make_unique<WorkRun>(env_, std::move(item), grant,
                                         WorkRun::Hooks{.on_finished = [this, id = held.id] { hand_in(id); },
                                                        .on_fenced = [this, id = held.id] { drop(id); }});
    log_.debug("work: kind {} {} pass {} partition {} from batch {}", grant.work.kind, grant.work.name,
               grant.work.pass + 1, partition, grant.first_batch);
    held.run->start();
  }
  ask_timer_.start(Duration(0), [this] { ask(); });
}

void Trainer::report() {
  report_timer_.start(kReportPause, [this] { report(); });
  WorkProgress progress;
  progress.node_id = link_.node_id();
  std::vector<HeldId> reported;
  for (auto& held : held_) {
    if (held.dropped) continue;
    progress.cursors.push_back(held.run->cursor());
    reported.push_back(held.id);
  }
  if (progress.cursors.empty()) return;
  rpc_.call(link_.peer(), progress, kReportTimeout,
            [this, reported = std::move(reported)](const Result<Message>& reply) {
              if (!reply.ok()) return;
              if (const auto* answer = std::get_if<WorkProgressReply>(&*reply))
                on_report_reply(reported, *answer);
            });
}

void Trainer::on_report_reply(const std::vector<HeldId>& reported, const WorkProgressReply& reply) {
  env_.steps = std::max(env_.steps, reply.steps);
  for (const std::uint32_t index : reply.revoked) {
    if (index < reported.size()) drop(reported[index]);
  }
  for (const EndWish& wish : reply.wishes) {
    WorkRun* run = wish.cursor < reported.size() ? find(reported[wish.cursor]) : nullptr;
    if (run == nullptr || run->finished() || !run->leave_from(wish.end)) continue;
    report_timer_.start(Duration(0), [this] { report(); });  // somebody waits for it
  }
}

WorkRun* Trainer::find(HeldId id) {
  for (auto& held : held_) {
    if (held.id == id && !held.dropped) return held.run.get();
  }
  return nullptr;
}

// Until the scheduler has it: the answer says whether it counted or came from someone whose lease had ended.
void Trainer::hand_in(HeldId id) {
  const WorkRun* run = find(id);
  if (run == nullptr) return;
  const WorkDone done{link_.node_id(), run->cursor(), run->error(), run->result()};
  rpc_.call(link_.peer(), done, kHandInTimeout, [this, id](const Result<Message>& reply) {
    if (!reply.ok() || !std::holds_alternative<WorkDoneReply>(*reply)) {
      to_hand_in_.insert(id);
      hand_in_timer_.start(kAskPause, [this] {
        for (const HeldId waiting : std::exchange(to_hand_in_, {})) hand_in(waiting);
      });
      return;
    }
    drop(id);
    ask_timer_.start(Duration(0), [this] { ask(); });
  });
}

std::string Trainer::stats_json() const {
  const PushCounts& pushes = env_.pushes;
  boost::json::object stats = {{"pushes_sent", pushes.sealed},
                               {"pushes_abandoned", pushes.abandoned},
                               {"bytes_pushed", pushes.bytes},
                               {"bytes_pulled", puller_.bytes()}};
  if (const std::string silent = env_.peers.silent(); !silent.empty()) stats["no_answer_from"] = silent;
  return boost::json::serialize(stats);
}

void Trainer::add_metrics(Metrics& out) const {
  const auto number = [](auto count) { return static_cast<double>(count); };
  const PushCounts& pushes = env_.pushes;
  out.counter("capstan_worker_push_slices_total", "Parts of pushes sent, one a shard.",
              number(pushes.sealed));
  out.counter("capstan_worker_push_slices_abandoned_total",
              "Of them those given up unanswered, because another worker has the item by now.",
              number(pushes.abandoned));
  out.counter("capstan_worker_pushed_bytes_total", "Keys and gradients sent, repetitions included.",
              number(pushes.bytes));
  out.counter("capstan_worker_pulled_bytes_total", "Rows received.", number(puller_.bytes()));
  out.gauge("capstan_worker_items", "Work items held.", number(held_.size()));
  out.histogram("capstan_worker_pull_seconds", "From asking for a step's rows until all are here.",
                puller_.waits());
}

void Trainer::drop(HeldId id) {
  for (auto& held : held_) {
    if (held.id == id) held.dropped = true;
  }
  sweep_timer_.start(Duration(0), [this] { held_.remove_if([](const Held& held) { return held.dropped; }); });
}

}  // namespace capstan
