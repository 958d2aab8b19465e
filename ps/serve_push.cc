// Server: taking in pushes.
#include <utility>

#include "ps/server.h"

namespace capstan {

struct Server::PushJob {
  PeerId from;
  std::uint64_t id;
  Push push;
  PushReply reply;
  std::size_t slices_left = 0;
};

void Server::on_push(PeerId from, std::uint64_t id, Push push) {
  learn_map(push.map_version);
  auto job = std::make_shared<PushJob>(PushJob{from, id, std::move(push), {}, 0});
  for (const auto& slice : job->push.slices) job->reply.slices.push_back({slice.shard, SliceStatus::kOk, 0});
  bool known = true;
  std::uint64_t floats = 0;
  for (const auto& slice : job->push.slices) floats += count_floats(slice.sections, known);
  // Tables that are not declared here yet will be.
  if (!known || requests_ >= options_.requests_max) {
    for (auto& result : job->reply.slices) result.status = SliceStatus::kBusy;
    rpc_.reply(from, id, job->reply);
    return;
  }
  const bool fits = floats * sizeof(float) == job->push.gradients.size();
  if (!fits) rpc_.count_refused("gradient size");
  ++requests_;
  start_push(job, fits);
}

void Server::start_push(const PushRef& job, bool fits) {
  const Push& push = job->push;
  job->slices_left = push.slices.size() + 1;  // one for this function
  const Key* keys = push.keys.as<Key>().data();
  const float* gradients = push.gradients.as<float>().data();
  struct Part {
    std::size_t index;
    Shard* shard;
    PushedSlice slice;
    PushOutcome outcome;
  };
  std::map<std::uint32_t, std::shared_ptr<std::vector<Part>>> by_lane;
  for (std::size_t i = 0; i < push.slices.size(); ++i) {
    const auto& slice = push.slices[i];
    if (serves(slice.shard, push.map_version)) {
      auto& lane = by_lane[lane_of(slice.shard)];
      if (lane == nullptr) lane = std::make_shared<std::vector<Part>>();
      lane->push_back(
          {i,
           shards_[slice.shard].shard.get(),
           {push.pass, push.partition, push.term, push.sequence, slice.previous, slice.pulled_version,
            slice.sections, keys, gradients, push.keys, push.gradients, !fits},
           {}});
    } else {
      answer_slice(job, i, SliceStatus::kStale, 0);
    }
    for (const auto& section : slice.sections) {
      keys += section.count;
      if (fits) gradients += std::size_t{section.count} * tables_[section.table].dim;
    }
  }
  for (auto& [lane, parts] : by_lane) {
    compute_.run(
        lane,
        [parts = parts, now = now_seconds()] {
          for (auto& part : *parts) part.outcome = part.shard->push(part.slice, now);
        },
        [this, job, parts = parts] {
          for (auto& part : *parts) on_pushed(job, part.index, std::move(part.outcome));
          if (declared_.num_slots > 0) wake_pulls();
        });
  }
  if (--job->slices_left == 0) {
    --requests_;
    rpc_.reply(job->from, job->id, job->reply);
  }
}

void Server::on_pushed(const PushRef& job, std::size_t index, PushOutcome outcome) {
  const std::uint32_t shard = job->push.slices[index].shard;
  const auto found = shards_.find(shard);
  if (found == shards_.end()) {  // moved away meanwhile
    answer_slice(job, index, SliceStatus::kStale, 0);
    return;
  }
  Slot& slot = found->second;
  if (slot.clock < outcome.clock) slot.clock = outcome.clock;
  write_snapshot(shard, std::move(outcome.snapshot));
  if (!outcome.waits) {
    answer_slice(job, index, outcome.status, outcome.version);
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
    answer_slice(done.job, done.index, done.status, outcome.version);
  }
}

// The shard has let go of what waited for its step: the senders come again.
void Server::release_waiting(Slot& slot) {
  for (const auto& [own_slot, waiting] : std::exchange(slot.waiting, {})) {
    answer_slice(waiting.job, waiting.index, SliceStatus::kBusy, 0);
  }
}

void Server::answer_slice(const PushRef& job, std::size_t index, SliceStatus status, std::uint64_t version) {
  job->reply.slices[index].status = status;
  job->reply.slices[index].version = version;
  if (--job->slices_left > 0) return;
  --requests_;
  job->reply.map_version = link_.map().version();
  if (!lease_holds()) {
    for (auto& result : job->reply.slices) result.status = SliceStatus::kStale;
  }
  rpc_.reply(job->from, job->id, job->reply);
}

}  // namespace capstan
