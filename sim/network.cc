#include "sim/network.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {
namespace {

Error unavailable(PeerId peer) {
  return make_error(ErrorCode::kUnavailable, fmt::format("send to peer {}: not there", peer));
}

}  // namespace

SimNetwork::SimNetwork(EventQueue& queue, const NetworkOptions& options, Rng rng)
    : queue_(queue), options_(options), rng_(rng) {}

SimNetwork::Host& SimNetwork::host(NodeIndex node) {
  if (node >= hosts_.size()) hosts_.resize(node + 1);
  return hosts_[node];
}

SimNetwork::Connection* SimNetwork::find(ConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

void SimNetwork::set_handler(NodeIndex node, Transport::Handler handler) {
  host(node).handler = std::move(handler);
}

Result<std::string> SimNetwork::bind(NodeIndex node, const std::string& endpoint) {
  std::string actual = endpoint;
  if (endpoint.ends_with(":0") || endpoint.ends_with(":*")) {
    actual = endpoint.substr(0, endpoint.size() - 1) + std::to_string(++last_port_);
  }
  const auto [position, added] = listeners_.try_emplace(actual, node);
  if (!added) {
    return make_error(ErrorCode::kIo, fmt::format("listen on {}: Address already in use", actual));
  }
  return actual;
}

Result<PeerId> SimNetwork::connect(NodeIndex node, const std::string& endpoint) {
  if (endpoint.find("://") == std::string::npos) {
    return make_error(ErrorCode::kInvalid, fmt::format("connect to {}: Invalid argument", endpoint));
  }
  const ConnectionId id = ++last_connection_;
  Connection& connection = connections_[id];
  connection.client = node;
  connection.endpoint = endpoint;
  connection.client_peer = ++last_peer_;
  connection.backoff = options_.reconnect_min;
  host(node).peers.emplace(connection.client_peer, id);
  host(node).connections.insert(id);
  queue_.schedule_after(delay(node, node, 0), kWorld, [this, id] { try_to_establish(id); });
  return connection.client_peer;
}

void SimNetwork::try_later(ConnectionId id) {
  Connection& connection = *find(id);
  const Duration wait = connection.backoff;
  connection.backoff = std::min(connection.backoff * 2, options_.reconnect_max);
  queue_.schedule_after(wait, kWorld, [this, id] { try_to_establish(id); });
}

void SimNetwork::try_to_establish(ConnectionId id) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->client_gone || connection->up) return;
  const auto listener = listeners_.find(connection->endpoint);
  const NodeIndex client = connection->client;
  // The handshake needs both processes to answer.
  if (listener == listeners_.end() || queue_.paused(client) || queue_.paused(listener->second) ||
      blocked(client, listener->second) || blocked(listener->second, client)) {
    return try_later(id);
  }
  bind_peer(id, *connection, listener->second);
  connection->up = true;
  connection->stalls = rng_.chance(0.5);
  connection->backoff = options_.reconnect_min;
  if (++connection->epoch > 1) ++counters_.reconnects;
  connection->to_server = Direction{};
  connection->to_client = Direction{};
  for (auto& frames : std::exchange(connection->waiting, {})) transmit(id, true, std::move(frames));
}

// A connection that comes back to the same life of the same listener keeps its PeerId there.
void SimNetwork::bind_peer(ConnectionId id, Connection& connection, NodeIndex server) {
  const std::uint64_t life = queue_.life(server);
  if (connection.server_peer != 0 && connection.server == server && connection.server_life == life) return;
  connection.server = server;
  connection.server_life = life;
  connection.server_ignores = false;
  connection.server_peer = ++last_peer_;
  host(server).peers.emplace(connection.server_peer, id);
  host(server).connections.insert(id);
}

void SimNetwork::break_up(ConnectionId id, Connection& connection) {
  if (!connection.up) return;
  connection.up = false;
  for (Direction* direction : {&connection.to_server, &connection.to_client}) {
    direction->on_the_way -= static_cast<std::uint32_t>(direction->stalled.size());
    direction->stalled.clear();
    direction->survivors = static_cast<std::uint32_t>(rng_.below(direction->on_the_way + std::uint64_t{1}));
  }
  if (!connection.client_gone) try_later(id);
}

void SimNetwork::erase(ConnectionId id) {
  const Connection& connection = *find(id);
  host(connection.client).peers.erase(connection.client_peer);
  host(connection.client).connections.erase(id);
  if (connection.server_peer != 0) {
    host(connection.server).peers.erase(connection.server_peer);
    host(connection.server).connections.erase(id);
  }
  connections_.erase(id);
}

void SimNetwork::erase_if_done(ConnectionId id) {
  const Connection* connection = find(id);
  if (connection != nullptr && connection->client_gone && connection->to_server.on_the_way == 0) erase(id);
}

Status SimNetwork::send(NodeIndex node, PeerId to, Frames frames) {
  if (frames.empty() || frames.size() > options_.max_frames) {
    return make_error(ErrorCode::kInvalid, fmt::format("send to peer {}: {} frames", to, frames.size()));
  }
  const auto found = host(node).peers.find(to);
  Connection* connection = found == host(node).peers.end() ? nullptr : find(found->second);
  const bool to_server = connection != nullptr && connection->client_peer == to;
  if (connection == nullptr || (!to_server && (!connection->up || connection->server_ignores))) {
    ++counters_.unavailable;
    return unavailable(to);
  }
  const Direction& direction = to_server ? connection->to_server : connection->to_client;
  const std::size_t queued = connection->up ? direction.on_the_way : connection->waiting.size();
  if (queued >= options_.queue_messages || chance(options_.busy)) {
    ++counters_.busy;
    return make_error(ErrorCode::kBusy, fmt::format("send to peer {}: its queue is full", to));
  }
  ++counters_.sent;
  const ConnectionId id = found->second;
  if (connection->up && chance(options_.disconnect)) break_up(id, *connection);
  if (connection->up) {
    transmit(id, to_server, copy(frames));
  } else if (to_server) {
    connection->waiting.push_back(copy(frames));
  } else {
    ++counters_.lost;
  }
  return ok_status();
}

void SimNetwork::close(NodeIndex node, PeerId peer) {
  const auto found = host(node).peers.find(peer);
  if (found == host(node).peers.end()) return;
  const ConnectionId id = found->second;
  Connection* connection = find(id);
  if (connection->server_peer == peer) {
    connection->server_ignores = true;
    return;
  }
  host(node).peers.erase(found);
  connection->client_gone = true;
  connection->waiting.clear();
  break_up(id, *connection);
  connection->to_client.survivors = 0;
  erase_if_done(id);
}

// What the operating system had taken over may still arrive at the others.
void SimNetwork::crashed(NodeIndex node) {
  Host& dead = host(node);
  dead.handler = nullptr;
  dead.peers.clear();
  std::erase_if(listeners_, [node](const auto& listener) { return listener.second == node; });
  const auto connections = std::exchange(dead.connections, {});
  for (const ConnectionId id : connections) {
    Connection& connection = *find(id);
    if (connection.client == node) {
      connection.client_gone = true;
      connection.waiting.clear();
    }
    break_up(id, connection);
    // Arrivals at the dead node are the queue's to drop; nobody counts them off any more.
    (connection.client == node ? connection.to_client : connection.to_server).on_the_way = 0;
    erase_if_done(id);
  }
}

}  // namespace capstan
