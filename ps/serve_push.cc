// Server: taking in pushes.
#include <utility>

#include "common/planted_bugs.h"
#include "ps/server.h"

namespace capstan {

struct Server::PushJob {
  PeerId from;
  std::uint64_t id;
  Push push;
  PushReply reply;
  std::size_t slices_left = 0;
  std::uint64_t bytes = 0;       // of the quota
  Instant arrived{}, applied{};  // applied: by our own rows
  std::size_t lanes_left = 0;
  StepId step() const { return {push.pass, push.partition, push.sequence - 1}; }
};

void Server::on_push(PeerId from, std::uint64_t id, Push push) {
  learn_map(push.map_version);
  const std::uint64_t bytes = push.keys.size() + push.gradients.size();
  auto job = std::make_shared<PushJob>(PushJob{from, id, std::move(push), {}, 0, bytes, loop_.now(), {}, 0});
  for (const auto& slice : job->push.slices) job->reply.slices.push_back({slice.shard, SliceStatus::kOk, 0});
  bool known = true;
  std::uint64_t value_bytes = 0;
  for (const auto& slice : job->push.slices) value_bytes += count_value_bytes(slice.sections, known);
  // Tables that are not declared here yet will be.
  if (!known || !take_in(from, bytes)) {
    for (auto& result : job->reply.slices) result.status = SliceStatus::kBusy;
    rpc_.reply(from, id, job->reply);
    return;
  }
  const bool fits = value_bytes == job->push.gradients.size();
  if (!fits) rpc_.count_refused("gradient size");
  start_push(job, fits);
}

// In sync a slice waits here for those of all other slots: no share may keep one of them out.
bool Server::take_in(PeerId from, std::uint64_t bytes) {
  ++taken_in_;
  return quota_.take(from, bytes, !declared_.combine_steps);
}

void Server::start_push(const PushRef& job, bool fits) {
  const Push& push = job->push;
  job->slices_left = push.slices.size() + 1;  // one for this function
  const Key* keys = push.keys.as<Key>().data();
  const std::byte* gradients = push.gradients.data();
  struct Part {
    std::size_t index;
    Shard* shard;
    PushedSlice slice;
    PushOutcome outcome;
  };
  std::map<std::uint32_t, std::shared_ptr<std::vector<Part>>> by_lane;
  for (std::size_t i = 0; i < push.slices.size(); ++i) {
    const auto& slice = push.slices[i];
    const bool served = serves(slice.shard, push.map_version);
    const bool leaving =
        served && shards_[slice.shard].handover != Handover::kNone && !CAPSTAN_PLANTED(kServesAfterHandover);
    if (served && !leaving) {
      auto& lane = by_lane[lane_of(slice.shard)];
      if (lane == nullptr) lane = std::make_shared<std::vector<Part>>();
      lane->push_back(
          {i,
           shards_[slice.shard].shard.get(),
           {push.pass, push.partition, push.term, push.sequence, slice.previous, slice.pulled_version,
            push.step, slice.sections, keys, gradients, push.keys, push.gradients, !fits},
           {}});
    } else {
      answer_slice(job, i, leaving ? SliceStatus::kBusy : SliceStatus::kStale, 0);
    }
    for (const auto& section : slice.sections) {
      keys += section.count;
      if (fits) gradients += section_bytes(tables_[section.table], section.count);
    }
  }
  const std::uint32_t now = now_seconds();
  job->lanes_left = by_lane.size();
  for (auto& [lane, parts] : by_lane) {
    compute_.run(
        lane,
        [parts = parts, now] {
          for (auto& part : *parts) part.outcome = part.shard->push(part.slice, now);
        },
        [this, job, parts = parts, now] {
          if (--job->lanes_left == 0) {
            job->applied = loop_.now();
            rpc_.tracer().add(SpanKind::kApplyPush, job->step(), job->arrived,
                              job->push.keys.size() / sizeof(Key));
          }
          for (auto& part : *parts) {
            on_pushed(job, part.index, part.slice, part.shard, now, std::move(part.outcome));
          }
          pushes_applied_.add(loop_.now() - job->arrived);
          send_records();
          if (declared_.num_slots > 0) wake_pulls();
        });
  }
  if (--job->slices_left == 0) {
    quota_.give_back(job->from, job->bytes);
    rpc_.reply(job->from, job->id, job->reply);
  }
}

void Server::on_pushed(const PushRef& job, std::size_t index, const PushedSlice& slice, const Shard* rows,
                       std::uint32_t now_seconds, PushOutcome outcome) {
  const std::uint32_t shard = job->push.slices[index].shard;
  Slot* held = slot_of(shard, rows);
  if (held == nullptr) {  // moved away meanwhile
    answer_slice(job, index, SliceStatus::kStale, 0);
    return;
  }
  Slot& slot = *held;
  if (slot.clock < outcome.clock) slot.clock = outcome.clock;
  if (outcome.changed) log_push(slot, shard, slice, outcome, now_seconds);
  write_snapshot(shard, std::move(outcome.snapshot));
  if (!outcome.waits) {
    answer_committed(slot, job, index, outcome.status, outcome.version);
    return;
  }
  const std::uint32_t own_slot = job->push.partition;
  if (const auto before = slot.waiting.find(own_slot); before != slot.waiting.end()) {
    answer_slice(before->second.job, before->second.index, SliceStatus::kBusy, outcome.version);
  }
  slot.waiting[own_slot] = {job, index, outcome.status};
  for (const std::uint32_t released : outcome.released_slots) {
    const auto waiting = slot.waiting.extract(released);
    if (waiting.empty()) continue;
    const WaitingSlice& done = waiting.mapped();
    answer_committed(slot, done.job, done.index, done.status, outcome.version);
  }
}

// A duplicate's first copy may not have reached all members yet; it has its place in the log by now.
void Server::answer_committed(Slot& slot, const PushRef& job, std::size_t index, SliceStatus status,
                              std::uint64_t version) {
  const bool done =
      status == SliceStatus::kOk || status == SliceStatus::kDuplicate || status == SliceStatus::kRefused;
  if (!done || slot.log.committed() >= slot.log.applied() || CAPSTAN_PLANTED(kAcksBeforeCopies)) {
    answer_slice(job, index, status, version);
    return;
  }
  slot.log.when_committed(slot.log.applied(), [this, job, index, status, version](bool committed) {
    answer_slice(job, index, committed ? status : SliceStatus::kStale, version);
  });
}

// The shard has let go of what waited for its step: the senders come again.
void Server::release_waiting(Slot& slot, SliceStatus status) {
  for (const auto& [own_slot, waiting] : std::exchange(slot.waiting, {})) {
    answer_slice(waiting.job, waiting.index, status, 0);
  }
}

void Server::answer_slice(const PushRef& job, std::size_t index, SliceStatus status, std::uint64_t version) {
  job->reply.slices[index].status = status;
  job->reply.slices[index].version = version;
  if (--job->slices_left > 0) return;
  quota_.give_back(job->from, job->bytes);
  job->reply.map_version = link_.map().version();
  for (auto& result : job->reply.slices) {
    if (result.shard >= link_.map().num_shards() || !may_act(result.shard))
      result.status = SliceStatus::kStale;
  }
  pushes_answered_.add(loop_.now() - job->arrived);
  if (job->applied != Instant{}) rpc_.tracer().add(SpanKind::kCommitPush, job->step(), job->applied);
  rpc_.reply(job->from, job->id, job->reply);
}

}  // namespace capstan
