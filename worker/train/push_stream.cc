#include "worker/train/push_stream.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "common/planted_bugs.h"
#include "common/units.h"
#include "worker/train/owner_parts.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kPushTimeout = 5s;
constexpr Duration kRetryPause = 20ms;

}  // namespace

PushStream::PushStream(EventLoop& loop, Rpc& rpc, SchedulerLink& link, ServerPeers& peers,
                       const std::vector<TableSpec>& specs, PushCounts& counts, Id id, Hooks hooks)
    : loop_(loop),
      rpc_(rpc),
      link_(link),
      peers_(peers),
      specs_(specs),
      counts_(counts),
      id_(id),
      hooks_(std::move(hooks)),
      last_sequence_(id.num_shards, 0),
      window_(id.window_max),
      retry_(loop) {}

PushStream::~PushStream() {
  *alive_ = false;
  for (const auto& batch : batches_) counts_.abandoned += batch.left;
}

void PushStream::push(std::uint64_t sequence, std::uint64_t step, std::vector<StepTable> tables,
                      const PullTicket& ticket) {
  Batch batch;
  batch.sequence = sequence;
  batch.step = step;
  batch.slices = seal(sequence, tables, ticket);
  batch.left = batch.slices.size();
  batch.sealed = loop_.now();
  counts_.sealed += batch.left;
  for (auto& table : tables) table.rows = {};
  batch.tables = std::move(tables);
  if (batch.left == 0) {
    loop_.post([this, alive = alive_, sequence] {
      if (*alive) hooks_.on_acknowledged(sequence, 0);
    });
    return;
  }
  batches_.push_back(std::move(batch));
  resume();
}

std::string PushStream::too_large(const std::vector<StepTable>& tables, const PullTicket& ticket) const {
  std::map<std::uint32_t, std::uint64_t> bytes;
  for (const ShardRange& range : ticket.ranges) {
    if (!tables[range.position].gradients.empty()) bytes[range.shard] += largest_frame(range, tables, specs_);
  }
  for (const auto& [shard, sum] : bytes) {
    if (sum <= id_.frame_bytes_max) continue;
    return fmt::format(
        "its gradients for shard {} take {} bytes, more than a message may hold (cluster.max_frame_bytes: "
        "{}). "
        "Lower train.batch_size, or raise cluster.max_frame_bytes or, in a new job, cluster.num_shards",
        shard, sum, format_bytes(id_.frame_bytes_max));
  }
  return "";
}

std::uint32_t PushStream::stream_of(std::uint64_t sequence) const {
  return id_.segments.stream(id_.partition, id_.num_partitions, sequence - 1);
}

std::vector<PushStream::Slice> PushStream::seal(std::uint64_t sequence, const std::vector<StepTable>& tables,
                                                const PullTicket& ticket) {
  std::map<std::uint32_t, Slice> by_shard;
  for (std::uint32_t shard = 0; id_.every_shard && shard < last_sequence_.size(); ++shard) by_shard[shard];
  for (std::size_t i = 0; i < ticket.ranges.size(); ++i) {
    const ShardRange& range = ticket.ranges[i];
    if (tables[range.position].gradients.empty()) continue;
    Slice& slice = by_shard[range.shard];
    // The pull may have come in pieces; a slice has one section a table.
    const bool goes_on = !slice.ranges.empty() && slice.ranges.back().position == range.position;
    if (goes_on) {
      slice.ranges.back().count += range.count;
    } else {
      slice.ranges.push_back(range);
    }
    slice.pulled_version = ticket.versions[i];
  }
  std::vector<Slice> slices;
  for (auto& [shard, slice] : by_shard) {
    slice.shard = shard;
    const std::uint64_t last = last_sequence_[shard];
    slice.previous = last > 0 && stream_of(last) == stream_of(sequence) ? last : 0;
    last_sequence_[shard] = sequence;
    slices.push_back(std::move(slice));
  }
  return slices;
}

// In the order of sequences, so that a shard never sees a later batch before an earlier one that waits here.
void PushStream::resume() {
  if (fenced_) return;
  take_back();
  bool some_wait = false;
  for (auto& batch : batches_) {
    OwnerParts<std::size_t> parts(
        id_.frame_bytes_max,
        [&](NodeId owner, const std::vector<std::size_t>& part) { send(batch, owner, part); });
    for (std::size_t i = 0; i < batch.slices.size(); ++i) {
      const Slice& slice = batch.slices[i];
      if (slice.state != Slice::State::kWaiting) continue;
      const NodeId owner = peers_.greeted_primary(slice.shard);
      if (owner == 0) {
        some_wait = true;
        continue;
      }
      std::uint64_t bytes = 0;
      for (const auto& range : slice.ranges) bytes += largest_frame(range, batch.tables, specs_);
      parts.add(owner, i, bytes);
    }
    parts.send_rest();
  }
  if (some_wait) retry_later();
}

// A server that was lost answers nothing, and the wait for it could be long. Should its answer come after
// all, it counts.
void PushStream::take_back() {
  for (auto& batch : batches_) {
    for (Slice& slice : batch.slices) {
      const bool moved =
          slice.state == Slice::State::kInFlight && link_.map().primary(slice.shard) != slice.at;
      if (moved) slice.state = Slice::State::kWaiting;
    }
  }
}

void PushStream::send(Batch& batch, NodeId node, const std::vector<std::size_t>& slices) {
  Push push;
  push.map_version = link_.map().version();
  push.pass = id_.pass;
  push.partition = stream_of(batch.sequence);
  push.term = id_.term;
  push.sequence = batch.sequence;
  push.step = batch.step;
  std::size_t keys = 0;
  std::size_t value_bytes = 0;
  for (const std::size_t i : slices) {
    for (const auto& range : batch.slices[i].ranges) {
      keys += range.count;
      value_bytes += section_bytes(specs_[batch.tables[range.position].table], range.count);
    }
  }
  push.keys = Buffer::allocate(keys * sizeof(Key));
  push.gradients = Buffer::allocate(value_bytes);
  counts_.bytes += push.keys.size() + push.gradients.size();
  Key* key_out = push.keys.as_mutable<Key>().data();
  std::byte* gradient_out = push.gradients.as_mutable<std::byte>().data();
  for (const std::size_t i : slices) {
    Slice& slice = batch.slices[i];
    slice.state = Slice::State::kInFlight;
    slice.at = node;
    push.slices.push_back({slice.shard, slice.previous, slice.pulled_version, {}});
    for (const auto& range : slice.ranges) {
      const StepTable& table = batch.tables[range.position];
      const TableSpec& spec = specs_[table.table];
      const std::size_t count = std::size_t{range.count} * spec.dim, bytes = section_bytes(spec, range.count);
      push.slices.back().sections.push_back({table.table, range.count});
      std::memcpy(key_out, table.keys.data() + range.begin, range.count * sizeof(Key));
      const float* gradients = table.gradients.data() + std::size_t{range.begin} * spec.dim;
      narrow(of_gradients(spec.dtype), gradients, count, gradient_out);
      std::memset(gradient_out + count * width(spec.dtype), 0, bytes - count * width(spec.dtype));
      key_out += range.count;
      gradient_out += bytes;
    }
  }
  rpc_.call(*peers_.find(node), push, kPushTimeout,
            [this, alive = alive_, sequence = batch.sequence, node, slices, keys,
             at = loop_.now()](const Result<Message>& reply) {
              if (!*alive) return;
              rpc_.tracer().add(SpanKind::kPushCall, step_of(sequence), at, keys, node);
              on_reply(sequence, node, slices, reply);
            });
}

void PushStream::on_reply(std::uint64_t sequence, NodeId node, const std::vector<std::size_t>& slices,
                          const Result<Message>& reply) {
  const auto found = std::find_if(batches_.begin(), batches_.end(),
                                  [&](const Batch& batch) { return batch.sequence == sequence; });
  if (found == batches_.end() || fenced_) return;
  peers_.note(node, reply);
  if (reply.ok() && std::holds_alternative<PushReply>(*reply)) {
    settle(*found, slices, std::get<PushReply>(*reply));
    if (fenced_) return;
  }
  bool again = false;
  for (const std::size_t i : slices) {
    if (found->slices[i].state != Slice::State::kInFlight || found->slices[i].at != node) continue;
    found->slices[i].state = Slice::State::kWaiting;
    if (CAPSTAN_PLANTED(kResentSlicesChange)) found->slices[i].ranges.clear();
    again = true;
  }
  if (again) {
    link_.refresh_map();
    retry_later();
  }
  if (found->left > 0) return;
  widen_window();
  rpc_.tracer().add(SpanKind::kPush, step_of(sequence), found->sealed);
  const std::uint64_t acknowledged = found->slices.size();
  batches_.erase(found);
  hooks_.on_acknowledged(sequence, acknowledged);
}

void PushStream::settle(Batch& batch, const std::vector<std::size_t>& slices, const PushReply& reply) {
  std::map<std::uint32_t, SliceStatus> results;
  bool busy = false;
  for (const auto& slice : reply.slices) {
    results[slice.shard] = slice.status;
    busy = busy || slice.status == SliceStatus::kBusy;
  }
  if (busy) narrow_window();
  for (const std::size_t i : slices) {
    Slice& slice = batch.slices[i];
    const auto result = results.find(slice.shard);
    if (slice.state == Slice::State::kDone || result == results.end()) continue;
    switch (result->second) {
      case SliceStatus::kOk:
      case SliceStatus::kDuplicate:
      case SliceStatus::kRefused:  // its number is consumed: the server counts it and goes on
        slice.state = Slice::State::kDone;
        --batch.left;
        break;
      case SliceStatus::kFenced:
        fenced_ = true;
        hooks_.on_fenced();
        return;
      case SliceStatus::kStale:
      case SliceStatus::kGap:
        break;  // stays to be sent again
      case SliceStatus::kBusy:
        if (!CAPSTAN_PLANTED(kBusyUsesItsNumber)) break;
        slice.state = Slice::State::kDone;
        --batch.left;
        break;
    }
  }
}

void PushStream::widen_window() {
  if (window_ >= id_.window_max || ++since_widened_ < window_) return;
  ++window_;
  since_widened_ = 0;
}

void PushStream::narrow_window() {
  window_ = std::max(1U, window_ / 2);
  since_widened_ = 0;
}

void PushStream::retry_later() {
  if (!retry_.running()) retry_.start(kRetryPause, [this] { resume(); });
}

}  // namespace capstan
