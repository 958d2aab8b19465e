#include "worker/train/puller.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "worker/train/owner_parts.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kPullTimeout = 5s;
constexpr Duration kRetryPause = 20ms;

}  // namespace

Puller::Puller(EventLoop& loop, Rpc& rpc, const Log& log, SchedulerLink& link, ServerPeers& peers,
               const std::vector<TableSpec>& specs, std::uint64_t frame_bytes_max)
    : loop_(loop),
      rpc_(rpc),
      log_(log),
      link_(link),
      peers_(peers),
      specs_(specs),
      frame_bytes_max_(frame_bytes_max),
      retry_(loop) {}

void Puller::pull(std::vector<StepTable>& tables, PullTicket& ticket, std::function<void()> done) {
  for (auto& table : tables) {
    if (!ticket.take_rows) table.rows.resize(table.keys.size() * specs_[table.table].dim);
  }
  ticket.ranges = cut_to_frames(ticket.ranges, tables, specs_, frame_bytes_max_);
  ticket.versions.assign(ticket.ranges.size(), 0);
  Request& request = requests_.emplace_back();
  request.tables = &tables;
  request.ticket = &ticket;
  request.done = std::move(done);
  request.id = next_id_++;
  request.begun = loop_.now();
  for (std::uint32_t i = 0; i < ticket.ranges.size(); ++i) request.missing.push_back(i);
  if (request.missing.empty()) {
    request.asked[0] = {};
    loop_.post([this, id = request.id] { on_reply(id, 0, Message(PullReply{})); });
    return;
  }
  ask(request);
}

void Puller::cancel(const PullTicket& ticket) {
  requests_.remove_if([&](const Request& request) { return request.ticket == &ticket; });
}

void Puller::resume() {
  for (auto& request : requests_) {
    take_back(request);
    ask(request);
  }
}

// A server that was lost answers nothing, and the wait for it could be long.
void Puller::take_back(Request& request) {
  std::erase_if(request.asked, [&](auto& each) {
    const Asked& asked = each.second;
    const bool moved = std::any_of(asked.ranges.begin(), asked.ranges.end(), [&](std::uint32_t range) {
      return whom_to_ask(request, range) != asked.node;
    });
    if (moved) request.missing.insert(request.missing.end(), asked.ranges.begin(), asked.ranges.end());
    return moved;
  });
  std::sort(request.missing.begin(), request.missing.end());
}

// Each worker asks another of the chain's members, so that all of them serve.
NodeId Puller::whom_to_ask(const Request& request, std::uint32_t range) const {
  const std::uint32_t shard = request.ticket->ranges[range].shard;
  if (request.ticket->of_copies && !request.primary_only.contains(range) && !link_.map().empty()) {
    const auto& chain = link_.map().chain(shard);
    const NodeId member = chain.empty() ? 0 : chain[(link_.node_id() + shard) % chain.size()];
    if (member != 0 && peers_.find(member)) return member;
  }
  return peers_.greeted_primary(shard);
}

void Puller::ask(Request& request) {
  OwnerParts<std::uint32_t> parts(frame_bytes_max_, [&](NodeId owner, std::vector<std::uint32_t> ranges) {
    send(request, owner, std::move(ranges));
  });
  std::vector<std::uint32_t> later;
  for (const std::uint32_t range : request.missing) {
    const ShardRange& where = request.ticket->ranges[range];
    const NodeId owner = whom_to_ask(request, range);
    if (owner != 0) {
      parts.add(owner, range, largest_frame(where, *request.tables, specs_));
    } else {
      later.push_back(range);
    }
  }
  request.missing = std::move(later);
  parts.send_rest();
  if (!request.missing.empty() && !retry_.running()) retry_.start(kRetryPause, [this] { resume(); });
}

void Puller::send(Request& request, NodeId node, std::vector<std::uint32_t> ranges) {
  Pull pull;
  pull.map_version = link_.map().version();
  pull.pass = request.ticket->pass;
  pull.term = request.ticket->term;
  pull.needs_clock = request.ticket->needs_clock;
  pull.of_copies = request.ticket->of_copies;
  pull.stream = request.ticket->step.stream;
  pull.batch = request.ticket->step.batch;
  std::size_t count = 0;
  for (const std::uint32_t range : ranges) count += request.ticket->ranges[range].count;
  pull.keys = Buffer::allocate(count * sizeof(Key));
  Key* out = pull.keys.as_mutable<Key>().data();
  for (const std::uint32_t i : ranges) {
    const ShardRange& range = request.ticket->ranges[i];
    const StepTable& table = (*request.tables)[range.position];
    if (pull.slices.empty() || pull.slices.back().shard != range.shard)
      pull.slices.push_back({range.shard, {}});
    pull.slices.back().sections.push_back({table.table, range.count});
    std::memcpy(out, table.keys.data() + range.begin, range.count * sizeof(Key));
    out += range.count;
  }
  const std::uint64_t message = next_message_++;
  request.asked[message] = {node, std::move(ranges), count, loop_.now()};
  rpc_.call(*peers_.find(node), pull, kPullTimeout,
            [this, id = request.id, message](const Result<Message>& reply) { on_reply(id, message, reply); });
}

void Puller::on_reply(std::uint64_t id, std::uint64_t message, const Result<Message>& reply) {
  const auto found =
      std::find_if(requests_.begin(), requests_.end(), [&](const Request& r) { return r.id == id; });
  if (found == requests_.end()) return;
  Request& request = *found;
  const auto answered = request.asked.extract(message);
  if (answered.empty()) return;  // taken back
  const auto& [node, ranges, keys, asked_at] = answered.mapped();
  if (message != 0) rpc_.tracer().add(SpanKind::kPullCall, request.ticket->step, asked_at, keys, node);
  std::vector<std::uint32_t> again = ranges;
  if (reply.ok()) {
    if (const auto* rows = std::get_if<PullReply>(&*reply)) again = take(request, ranges, *rows);
  }
  peers_.note(node, reply);
  if (!again.empty()) return ask_again(request, node, again);
  if (!request.asked.empty() || !request.missing.empty()) return;
  waits_.add(loop_.now() - request.begun);
  rpc_.tracer().add(SpanKind::kPull, request.ticket->step, request.begun);
  const auto done = std::move(request.done);
  requests_.erase(found);
  done();
}

// What a copy lacks its primary has, or waits for; of what that does not give we have an old map.
void Puller::ask_again(Request& request, NodeId node, const std::vector<std::uint32_t>& ranges) {
  bool of_primary = false;
  for (const std::uint32_t range : ranges) {
    request.missing.push_back(range);
    if (node == link_.map().primary(request.ticket->ranges[range].shard)) {
      of_primary = true;
    } else {
      request.primary_only.insert(range);
    }
  }
  std::sort(request.missing.begin(), request.missing.end());
  if (!of_primary) return ask(request);
  link_.refresh_map();
  if (!retry_.running()) retry_.start(kRetryPause, [this] { resume(); });
}

// Where they lie, if they are floats.
const float* Puller::widened(Dtype dtype, const std::byte* stored, std::size_t count) {
  if (dtype == Dtype::kFloat32) return reinterpret_cast<const float*>(stored);
  widened_.resize(count);
  widen(dtype, stored, count, widened_.data());
  return widened_.data();
}

std::vector<std::uint32_t> Puller::take(Request& request, const std::vector<std::uint32_t>& ranges,
                                        const PullReply& reply) {
  std::map<std::uint32_t, const SliceResult*> results;
  for (const auto& slice : reply.slices) results[slice.shard] = &slice;
  std::vector<std::uint32_t> again;
  const std::byte* rows = reply.rows.data();
  bytes_ += reply.rows.size();
  std::size_t at = 0;
  for (const std::uint32_t i : ranges) {
    const ShardRange& range = request.ticket->ranges[i];
    StepTable& table = (*request.tables)[range.position];
    const TableSpec& spec = specs_[table.table];
    const std::size_t bytes = section_bytes(spec, range.count), floats = std::size_t{range.count} * spec.dim;
    const auto result = results.find(range.shard);
    const bool here = result != results.end() && result->second->status == SliceStatus::kOk;
    if (!here || at + bytes > reply.rows.size()) {
      again.push_back(i);
      continue;
    }
    if (request.ticket->take_rows) {
      request.ticket->take_rows(range, widened(spec.dtype, rows + at, floats));
    } else {
      widen(spec.dtype, rows + at, floats, table.rows.data() + std::size_t{range.begin} * spec.dim);
    }
    at += bytes;
    request.ticket->versions[i] = result->second->version;
  }
  return again;
}

}  // namespace capstan
