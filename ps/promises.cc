#include "ps/promises.h"

#include <algorithm>

namespace capstan {
namespace {

constexpr int kAsksPerLease = 8;

}  // namespace

Promises::Promises(EventLoop& loop, Rpc& rpc, SchedulerLink& link, const ServerPeers& others)
    : loop_(loop), rpc_(rpc), link_(link), others_(others), timer_(loop) {}

void Promises::on_map() {
  const ShardMap& map = link_.map();
  asked_.clear();
  for (std::uint32_t shard = 0; shard < map.num_shards(); ++shard) {
    if (map.primary(shard) != link_.node_id()) continue;
    asked_.insert(map.chain(shard).begin() + 1, map.chain(shard).end());
    if (map.learner(shard) != 0) asked_.insert(map.learner(shard));
  }
  if (!asked_.empty() && !timer_.running()) tick();
}

void Promises::tick() {
  if (asked_.empty()) return;
  timer_.start(link_.lease() / kAsksPerLease, [this] { tick(); });
  if (!link_.scheduler_silent()) return;
  for (const NodeId node : asked_) ask(node);
}

void Promises::ask(NodeId node) {
  const auto peer = others_.find(node);
  if (!peer) return;
  const PromiseRequest request{link_.node_id(), link_.map().version()};
  rpc_.call(*peer, request, link_.lease(), [this, node, sent = loop_.now()](const Result<Message>& reply) {
    const auto* promise = reply.ok() ? std::get_if<Promise>(&*reply) : nullptr;
    if (promise == nullptr || !promise->granted) return;
    if (promise->map_version > link_.map().version()) return link_.refresh_map();
    note(given_[node], promise->map_version, sent + link_.lease() * 9 / 10);
  });
}

void Promises::note(Given& given, std::uint64_t map_version, Instant until) {
  const auto newer = given.lower_bound(map_version);
  if (newer != given.end() && newer->second >= until) return;
  given[map_version] = until;
  std::erase_if(given, [&](const auto& each) { return each.first < map_version && each.second <= until; });
}

Instant Promises::until(std::uint32_t shard) const {
  const ShardMap& map = link_.map();
  Instant until = Instant::max();
  const auto heed = [&](NodeId node) {
    const auto given = given_.find(node);
    if (given == given_.end()) return void(until = Instant{});
    const auto holds = given->second.lower_bound(map.epoch(shard));
    until = std::min(until, holds == given->second.end() ? Instant{} : holds->second);
  };
  for (const NodeId node : map.chain(shard)) {
    if (node != link_.node_id()) heed(node);
  }
  if (map.learner(shard) != 0) heed(map.learner(shard));
  return until;
}

}  // namespace capstan
