// Server: answering pulls.
#include <algorithm>
#include <utility>

#include "common/planted_bugs.h"
#include "ps/server.h"

namespace capstan {

namespace {

bool has_reached(const StepClock& clock, const Pull& pull) {
  return clock.pass > pull.pass || (clock.pass == pull.pass && clock.steps >= pull.needs_clock);
}

}  // namespace

struct Server::PullJob {
  PeerId from;
  std::uint64_t id;
  Pull pull;
  PullReply reply;
  struct Part {  // one slice that is served
    std::size_t slice;
    const Key* keys;
    std::byte* out;
  };
  std::vector<Part> parts;
  std::size_t lanes_left = 0;
  std::uint64_t bytes = 0;  // of the quota; none for one that waited for a step
  bool counted = false;
  Instant arrived{};
};

void Server::on_pull(PeerId from, std::uint64_t id, Pull pull) {
  learn_map(pull.map_version);
  auto job = std::make_shared<PullJob>(PullJob{from, id, std::move(pull), {}, {}, 0, 0, false, loop_.now()});
  job->bytes = job->pull.keys.size() + answer_bytes(job->pull);
  // Pulls that wait for a step are counted apart: they must not keep out the pushes that they wait for.
  const bool runs = clock_reached(job->pull);
  const bool taken = runs ? take_in(from, job->bytes) : parked_pulls_.size() < options_.requests.requests;
  if (!taken) {
    for (const auto& slice : job->pull.slices)
      job->reply.slices.push_back({slice.shard, SliceStatus::kBusy, 0});
    rpc_.reply(from, id, job->reply);
  } else if (runs) {
    job->counted = true;
    start_pull(job);
  } else {
    parked_pulls_.push_back(job);
  }
}

// Whoever holds work of a former cluster: the rows may not be restored yet, and what comes of them counts
// nowhere.
bool Server::is_fenced(const Pull& pull) const {
  return pull.term < declared_.fence && !CAPSTAN_PLANTED(kTermsNotFenced);
}

// The copy has what the pull needs, so it may be a little behind its primary: a member that a newer map has
// dropped without its knowledge gets no more steps, and stays behind. A pull that needs nothing yet is none
// of a copy's.
bool Server::serves_copy(std::uint32_t shard, const Pull& pull) const {
  if (!pull.of_copies || pull.needs_clock == 0 || loop_.now() >= link_.lease_until()) return false;
  const auto found = shards_.find(shard);
  if (found == shards_.end() || found->second.role != ShardRole::kMember || !found->second.in_place)
    return false;
  return has_reached(found->second.clock, pull) || CAPSTAN_PLANTED(kCopiesWithoutClock);
}

// A shard that is not ours does not hold the request up: its slice will be told to go elsewhere.
bool Server::clock_reached(const Pull& pull) const {
  if (pull.needs_clock == 0 || is_fenced(pull)) return true;
  for (const auto& slice : pull.slices) {
    const Slot* slot = primary_slot(slice.shard);
    if (slot == nullptr) continue;
    const StepClock& clock = slot->clock;
    if (!has_reached(clock, pull)) return false;
  }
  return true;
}

std::uint64_t Server::answer_bytes(const Pull& pull) const {
  std::uint64_t bytes = 0;
  bool known = true;
  for (const auto& slice : pull.slices) bytes += count_value_bytes(slice.sections, known);
  return bytes;
}

void Server::wake_pulls() {
  std::vector<PullRef> waiting;
  waiting.swap(parked_pulls_);
  for (auto& job : waiting) {
    if (clock_reached(job->pull)) {
      start_pull(job);
    } else {
      parked_pulls_.push_back(std::move(job));
    }
  }
}

void Server::start_pull(const PullRef& job) {
  const Key* keys = job->pull.keys.as<Key>().data();
  std::vector<std::uint64_t> offsets;
  std::uint64_t bytes = 0;
  bool known = true;
  const bool fenced = is_fenced(job->pull);
  const SliceStatus refusal = fenced ? SliceStatus::kFenced : SliceStatus::kStale;
  for (std::size_t i = 0; i < job->pull.slices.size(); ++i) {
    const auto& slice = job->pull.slices[i];
    const bool ours = !fenced && serves(slice.shard, job->pull.map_version);
    const bool of_copy = !fenced && !ours && serves_copy(slice.shard, job->pull);
    const bool served = ours || of_copy;
    copies_served_ += of_copy ? 1 : 0;
    job->reply.slices.push_back({slice.shard, served ? SliceStatus::kOk : refusal, 0});
    if (served) {
      job->parts.push_back({i, keys, nullptr});
      offsets.push_back(bytes);
      bytes += count_value_bytes(slice.sections, known);
    }
    for (const auto& section : slice.sections) {
      const bool counts = served && section.table < tables_.size() && !tables_[section.table].dense;
      if (counts) hot_keys_.note(section.table, {keys, section.count});
      keys += section.count;
    }
  }
  if (!known) {
    for (auto& result : job->reply.slices) result.status = SliceStatus::kRefused;
    job->parts.clear();
    bytes = 0;
  }
  job->reply.rows = Buffer::allocate(bytes);
  std::byte* out = job->reply.rows.as_mutable<std::byte>().data();
  std::map<std::uint32_t, std::vector<std::size_t>> by_lane;
  for (std::size_t i = 0; i < job->parts.size(); ++i) {
    job->parts[i].out = out + offsets[i];
    by_lane[lane_of(job->pull.slices[job->parts[i].slice].shard)].push_back(i);
  }
  job->lanes_left = by_lane.size();
  if (by_lane.empty()) finish_pull(job);
  for (auto& [lane, parts] : by_lane) {
    std::vector<Shard*> shards;
    for (const std::size_t part : parts) {
      shards.push_back(shards_[job->pull.slices[job->parts[part].slice].shard].shard.get());
    }
    compute_.run(
        lane,
        [job, parts = parts, shards = std::move(shards)] {
          for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto& part = job->parts[parts[i]];
            const StepClock at{job->pull.pass, job->pull.needs_clock};
            shards[i]->pull(job->pull.slices[part.slice].sections, part.keys, at, part.out);
            job->reply.slices[part.slice].version = shards[i]->version();
          }
        },
        [this, job] {
          if (--job->lanes_left == 0) finish_pull(job);
        });
  }
}

void Server::finish_pull(const PullRef& job) {
  if (job->counted) quota_.give_back(job->from, job->bytes);
  job->reply.map_version = link_.map().version();
  const bool may = std::all_of(job->parts.begin(), job->parts.end(), [&](const PullJob::Part& part) {
    const std::uint32_t shard = job->pull.slices[part.slice].shard;
    return (primary_slot(shard) != nullptr && may_act(shard)) || serves_copy(shard, job->pull);
  });
  if (!may) {
    // The rows may be another's by now.
    for (auto& result : job->reply.slices) result.status = SliceStatus::kStale;
    job->reply.rows = Buffer();
  }
  pulls_answered_.add(loop_.now() - job->arrived);
  const StepId step{job->pull.pass, job->pull.stream, job->pull.batch};
  rpc_.tracer().add(SpanKind::kServePull, step, job->arrived, job->pull.keys.as<Key>().size());
  rpc_.reply(job->from, job->id, job->reply);
}

}  // namespace capstan
