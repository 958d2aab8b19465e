// SimNetwork's messages on their way; connections are in network.cc.
#include <algorithm>

#include "common/hash.h"
#include "sim/network.h"

namespace capstan {
namespace {

constexpr Duration kStep{1};

}  // namespace

void SimNetwork::block(NodeIndex from, NodeIndex to) {
  if (!blocked_.insert({from, to}).second) return;
  for (const ConnectionId id : host(from).connections) {
    Connection& connection = *find(id);
    if (connection.client == to || connection.server == to) connection.blocked_since = queue_.now();
  }
}

void SimNetwork::allow(NodeIndex from, NodeIndex to) {
  if (blocked_.erase({from, to}) == 0) return;
  const auto connections = host(from).connections;
  for (const ConnectionId id : connections) {
    Connection& connection = *find(id);
    if (connection.client != to && connection.server != to) continue;
    if (connection.up && queue_.now() - connection.blocked_since > options_.heartbeat_timeout) {
      break_up(id, connection);
    } else {
      release_stalled(id, connection.client == from);
    }
  }
}

void SimNetwork::allow_all() {
  const auto blocked = blocked_;
  for (const auto& [from, to] : blocked) allow(from, to);
}

void SimNetwork::set_delay(NodeIndex a, NodeIndex b, Duration least, Duration most) {
  delays_[{a, b}] = delays_[{b, a}] = {least, most};
}

// Most messages are fast, a few take nearly the longest: the cube of a uniform draw.
Duration SimNetwork::delay(NodeIndex from, NodeIndex to, std::uint64_t bytes) {
  Duration least = options_.delay_min, most = options_.delay_max;
  if (!delays_.empty()) {
    if (const auto found = delays_.find({from, to}); found != delays_.end()) {
      least = found->second.first;
      most = found->second.second;
    }
  }
  if (chance(options_.slow)) most = std::max(most, options_.slow_max);
  const double u = rng_.uniform();
  Duration total =
      least + Duration(static_cast<std::int64_t>(static_cast<double>((most - least).count()) * u * u * u));
  if (options_.bytes_per_second > 0) {
    total += Duration(static_cast<std::int64_t>(bytes * 1'000'000 / options_.bytes_per_second));
  }
  return std::max(total, kStep);
}

// Aligned to 8 and mostly to no more, as frames from the production transport may be.
Frames SimNetwork::copy(const Frames& frames) {
  constexpr std::size_t kAlignment = 8, kPlaces = 8;
  Frames copies;
  copies.reserve(frames.size());
  for (const auto& frame : frames) {
    const std::size_t shift = kAlignment * rng_.below(kPlaces);
    Buffer room = Buffer::allocate(frame.size() + shift);
    if (!frame.empty()) std::memcpy(room.mutable_data() + shift, frame.data(), frame.size());
    copies.push_back(room.slice(shift, frame.size()));
  }
  return copies;
}

void SimNetwork::transmit(ConnectionId id, bool to_server, Frames frames) {
  Connection& connection = *find(id);
  if (chance(options_.loss)) {
    ++counters_.lost;
    return;
  }
  Direction& direction = to_server ? connection.to_server : connection.to_client;
  const NodeIndex from = to_server ? connection.client : connection.server;
  const NodeIndex to = to_server ? connection.server : connection.client;
  std::uint64_t bytes = 0;
  for (const auto& frame : frames) bytes += frame.size();
  if (chance(options_.duplicate)) {
    ++counters_.duplicated;
    ++direction.on_the_way;
    arrive_later(id, to_server, queue_.now() + delay(from, to, bytes), copy(frames));
  }
  Instant at = queue_.now() + delay(from, to, bytes);
  if (!chance(options_.reorder)) at = direction.last_arrival = std::max(at, direction.last_arrival + kStep);
  ++direction.on_the_way;
  arrive_later(id, to_server, at, std::move(frames));
}

void SimNetwork::arrive_later(ConnectionId id, bool to_server, Instant at, Frames frames) {
  const Connection& connection = *find(id);
  queue_.schedule(at, to_server ? connection.server : connection.client,
                  [this, id, to_server, epoch = connection.epoch, frames = std::move(frames)]() mutable {
                    arrive(id, to_server, epoch, std::move(frames));
                  });
}

void SimNetwork::arrive(ConnectionId id, bool to_server, std::uint64_t epoch, Frames frames) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->epoch != epoch) {
    ++counters_.lost;
    return;
  }
  Direction& direction = to_server ? connection->to_server : connection->to_client;
  const NodeIndex from = to_server ? connection->client : connection->server;
  const NodeIndex to = to_server ? connection->server : connection->client;
  if (connection->up && blocked(from, to)) {
    if (connection->stalls) return direction.stalled.push_back(std::move(frames));
    ++counters_.lost;
    return break_up(id, *connection);
  }
  --direction.on_the_way;
  if (connection->up || (direction.survivors > 0 && !blocked(from, to))) {
    if (!connection->up) --direction.survivors;
    deliver(id, *connection, to_server, std::move(frames));
  } else {
    ++counters_.lost;
  }
  erase_if_done(id);
}

void SimNetwork::deliver(ConnectionId, Connection& connection, bool to_server, Frames frames) {
  const NodeIndex to = to_server ? connection.server : connection.client;
  if (to_server && connection.server_ignores) {
    ++counters_.dropped_closed_peer;
    return;
  }
  ++counters_.delivered;
  std::uint64_t hash = to;
  for (const auto& frame : frames) hash = combine(hash, hash_bytes(frame.bytes()));
  queue_.trace(hash);
  const PeerId from = to_server ? connection.server_peer : connection.client_peer;
  const auto handler = host(to).handler;  // a copy: it may be replaced by what it calls
  if (handler) handler(from, std::move(frames));
}

void SimNetwork::release_stalled(ConnectionId id, bool to_server) {
  Connection& connection = *find(id);
  Direction& direction = to_server ? connection.to_server : connection.to_client;
  for (auto& frames : std::exchange(direction.stalled, {})) {
    const Instant at = queue_.now() + delay(connection.client, connection.server, 0);
    direction.last_arrival = std::max(at, direction.last_arrival + kStep);
    arrive_later(id, to_server, direction.last_arrival, std::move(frames));
  }
}

}  // namespace capstan
