#include "common/server_peers.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kGreetTimeout = 1s;
constexpr Duration kRetryPause = 100ms;

}  // namespace

ServerPeers::ServerPeers(EventLoop& loop, Transport& transport, Rpc& rpc, const Log& log,
                         const SchedulerLink& link)
    : transport_(transport), rpc_(rpc), log_(log), link_(link), retry_(loop) {}

void ServerPeers::on_map() {
  for (const auto& [id, address] : link_.map().nodes()) {
    if (address.endpoint.empty() || id == link_.node_id()) continue;
    Entry& entry = entries_[id];
    if (entry.endpoint == address.endpoint) continue;
    if (entry.peer != 0) transport_.close(entry.peer);
    entry = Entry{address.endpoint, 0, false, false};
    if (auto peer = transport_.connect(address.endpoint); peer.ok()) {
      entry.peer = *peer;
      greet(id);
    } else {
      log_.error("cannot connect to {} at {}: {}", address.name, address.endpoint, peer.error().message);
    }
  }
}

std::optional<PeerId> ServerPeers::find(NodeId node) const {
  const auto found = entries_.find(node);
  if (found == entries_.end() || !found->second.greeted) return std::nullopt;
  return found->second.peer;
}

NodeId ServerPeers::greeted_primary(std::uint32_t shard) const {
  const NodeId owner = link_.map().empty() ? 0 : link_.map().primary(shard);
  return owner != 0 && find(owner) ? owner : 0;
}

void ServerPeers::note(NodeId node, const Result<Message>& reply) {
  const auto found = entries_.find(node);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (reply.ok()) return hear(node);
  if (reply.error().code == ErrorCode::kTimeout && has_shards(node) && entry.greeted) probe(node);
  if (reply.error().code != ErrorCode::kUnavailable) return;
  entry.greeted = false;
  greet(node);
}

void ServerPeers::hear(NodeId node) {
  if (std::exchange(entries_[node].silent, false)) log_.info("{} answers again", name_of(node));
}

// What was asked may wait for a third: a greeting is answered at once by whoever hears it.
void ServerPeers::probe(NodeId node) {
  Entry& entry = entries_[node];
  if (entry.greeting) return;
  entry.greeting = true;
  rpc_.call(entry.peer, link_.hello(), kGreetTimeout,
            [this, node, peer = entry.peer](const Result<Message>& reply) { on_probe(node, peer, reply); });
}

void ServerPeers::on_probe(NodeId node, PeerId peer, const Result<Message>& reply) {
  Entry& entry = entries_[node];
  if (entry.peer != peer) return;
  const bool timeout = !reply.ok() && reply.error().code == ErrorCode::kTimeout;
  if (!timeout) {
    if (reply.ok()) hear(node);
    return on_greeting(node, peer, reply);
  }
  entry.greeting = false;
  if (!std::exchange(entry.silent, true)) {
    log_.warn("no answer from {} at {}: what its shards were sent waits and is sent again", name_of(node),
              entry.endpoint);
  }
  greet_again_later();
}

std::string ServerPeers::silent() const {
  std::string names;
  for (const auto& [id, entry] : entries_) {
    if (entry.silent && has_shards(id)) names += (names.empty() ? "" : ", ") + name_of(id);
  }
  return names;
}

bool ServerPeers::has_shards(NodeId node) const {
  const ShardMap& map = link_.map();
  for (std::uint32_t shard = 0; shard < map.num_shards(); ++shard) {
    const auto& chain = map.chain(shard);
    if (std::find(chain.begin(), chain.end(), node) != chain.end()) return true;
  }
  return false;
}

std::string ServerPeers::name_of(NodeId node) const {
  const auto& nodes = link_.map().nodes();
  const auto found = nodes.find(node);
  return found == nodes.end() ? "a server" : found->second.name;
}

void ServerPeers::greet(NodeId node) {
  Entry& entry = entries_[node];
  if (entry.greeting) return;
  entry.greeting = true;
  rpc_.call(entry.peer, link_.hello(), kGreetTimeout,
            [this, node, peer = entry.peer](Result<Message> reply) { on_greeting(node, peer, reply); });
}

void ServerPeers::on_greeting(NodeId node, PeerId peer, const Result<Message>& reply) {
  Entry& entry = entries_[node];
  if (entry.peer != peer) return;  // it has moved meanwhile
  entry.greeting = false;
  entry.greeted = reply.ok() && std::holds_alternative<Welcome>(*reply);
  if (entry.greeted) {
    if (ready_) ready_();
    return;
  }
  if (!reply.ok() && reply.error().code == ErrorCode::kRefused) {
    log_.error("server {} refused us: {}", entry.endpoint, reply.error().message);
  }
  greet_again_later();
}

void ServerPeers::greet_again_later() {
  if (retry_.running()) return;  // one that fails often must not put the others off
  retry_.start(kRetryPause, [this] {
    for (const auto& [id, waiting] : entries_) {
      if (waiting.peer == 0) continue;
      if (!waiting.greeted) greet(id);
      if (waiting.greeted && waiting.silent) probe(id);
    }
  });
}

}  // namespace capstan
