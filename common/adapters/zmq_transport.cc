#include "common/adapters/zmq_transport.h"

#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include <list>
#include <random>
#include <unordered_map>

#include "common/adapters/endpoint.h"
#include "common/adapters/wire_security.h"
#include "common/adapters/zmq_message.h"
#include "common/assert.h"
#include "common/endpoint_check.h"

namespace capstan {
namespace {

// Messages taken from one socket before timers and other sockets get their turn.
constexpr int kMessagesPerTurn = 64;
constexpr int kMaxSockets = 16384;
constexpr std::size_t kEndpointMax = 1024;

}  // namespace

class ZmqTransport::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(AsioLoop& loop, ZmqOptions options);
  ~Impl();

  Result<std::string> bind(const std::string& endpoint);
  Result<PeerId> connect(const std::string& endpoint);
  Status send(PeerId to, Frames frames);
  void close(PeerId peer);
  void shut_down();
  bool may_act_as(PeerId peer, std::string_view role) const;
  TransportCounters counted() const;

  // Shared, so that a handler may replace itself.
  std::shared_ptr<const Handler> handler;
  TransportCounters counters;

 private:
  struct Socket {
    void* handle = nullptr;  // null once closed
    AsioLoop::WatchId watch = 0;
    bool router = false;
    bool drain_posted = false;
    PeerId peer = 0;              // DEALER
    std::string endpoint;         // DEALER: as it was given
    std::optional<CurveKey> key;  // DEALER: the other side's
    std::size_t attempts = 0;     // DEALER: keys that were tried
    bool connects_again = false;  // DEALER: soon
    std::unique_ptr<ZmqMonitor> monitor;
    std::unordered_map<std::string, PeerId> inbound;  // ROUTER: by routing id
  };
  struct Peer {
    std::shared_ptr<Socket> socket;
    std::string routing_id;  // ROUTER
    std::string user;        // ROUTER: its key's role and name
    BytesOnTheWay on_the_way = std::make_shared<std::atomic<std::uint64_t>>(0);
    bool closed = false;
    std::list<PeerId>::iterator heard;  // ROUTER: its place in heard_
  };
  using Socketp = std::shared_ptr<Socket>;

  Result<Socketp> open(int type, const std::string& endpoint);
  void watch(const Socketp& socket);
  void close_socket(Socket& socket);
  void drain(const Socketp& socket);
  void drain_soon(const Socketp& socket);
  bool has_input(const Socket& socket) const;
  bool receive(const Socketp& socket);
  void deliver(const Socketp& socket, ReceivedMessage received);
  PeerId inbound_peer(const Socketp& socket, const Buffer& routing_id, const std::string& user);
  Status connect_with_key(Socket& socket);
  void connect_again(const std::weak_ptr<Socket>& failed, Handshake outcome);
  void forget_oldest();

  AsioLoop& loop_;
  const ZmqOptions options_;
  const std::string identity_;
  void* context_;
  std::unique_ptr<WireSecurity> security_;
  std::vector<Socketp> sockets_;
  std::unordered_map<PeerId, Peer> peers_;
  std::list<PeerId> heard_;  // inbound peers, the one silent for longest first
  PeerId last_peer_ = 0;
  std::uint64_t connections_ = 0;
};

ZmqTransport::Impl::Impl(AsioLoop& loop, ZmqOptions options)
    : loop_(loop),
      options_(std::move(options)),
      identity_(fmt::format("{}/{:x}", options_.node.substr(0, 128),
                            options_.incarnation != 0 ? options_.incarnation : std::random_device()())),
      context_(zmq_ctx_new()) {
  CAPSTAN_ASSERT(context_ != nullptr, "a ZeroMQ context can be made");
  zmq_ctx_set(context_, ZMQ_MAX_SOCKETS, kMaxSockets);
  security_ = std::make_unique<WireSecurity>(loop_, context_, options_.security);
}

ZmqTransport::Impl::~Impl() {
  shut_down();
}

void ZmqTransport::Impl::shut_down() {
  if (context_ == nullptr) return;
  for (const auto& socket : sockets_) close_socket(*socket);
  counters.security = security_->counters;
  security_.reset();
  // Waits for the sockets' linger at most.
  while (zmq_ctx_term(context_) != 0 && zmq_errno() == EINTR) {
  }
  context_ = nullptr;
}

Result<ZmqTransport::Impl::Socketp> ZmqTransport::Impl::open(int type, const std::string& endpoint) {
  auto socket = std::make_shared<Socket>();
  socket->router = type == ZMQ_ROUTER;
  socket->handle = zmq_socket(context_, type);
  if (socket->handle == nullptr) return zmq_error(ErrorCode::kIo, "make a socket for", endpoint, zmq_errno());
  const std::string id = socket->router ? "" : fmt::format("{}/{}", identity_, ++connections_);
  CAPSTAN_ASSERT(configure_socket(socket->handle, options_, id), "libzmq knows every option that is set");
  return socket;
}

void ZmqTransport::Impl::watch(const Socketp& socket) {
  int fd = -1;
  std::size_t size = sizeof(fd);
  CAPSTAN_ASSERT(zmq_getsockopt(socket->handle, ZMQ_FD, &fd, &size) == 0, "a socket has a descriptor");
  socket->watch = loop_.watch_readable(fd, [this, weak = std::weak_ptr(socket)] {
    if (const auto alive = weak.lock()) drain(alive);
  });
  sockets_.push_back(socket);
  drain_soon(socket);
}

void ZmqTransport::Impl::close_socket(Socket& socket) {
  if (socket.handle == nullptr) return;
  if (socket.watch != 0) loop_.unwatch(socket.watch);
  socket.monitor.reset();
  zmq_close(std::exchange(socket.handle, nullptr));
}

Result<std::string> ZmqTransport::Impl::bind(const std::string& endpoint) {
  const std::string address = without_key(endpoint);
  CAPSTAN_TRY(security_->check_listen(address));
  CAPSTAN_ASSIGN(auto socket, open(ZMQ_ROUTER, address));
  security_->secure_listener(socket->handle);
  socket->monitor = security_->watch_listener(socket->handle);
  const auto bound = listen_at(socket->handle, address);
  if (!bound.ok()) {
    close_socket(*socket);
    return bound.error();
  }
  watch(socket);
  return security_->told(*bound);
}

Result<PeerId> ZmqTransport::Impl::connect(const std::string& endpoint) {
  CAPSTAN_ASSIGN(auto socket, open(ZMQ_DEALER, endpoint));
  socket->endpoint = endpoint;
  socket->monitor = security_->watch_connection(
      socket->handle, without_key(endpoint),
      [this, weak = std::weak_ptr(socket)](Handshake outcome) { connect_again(weak, outcome); });
  if (const Status connected = connect_with_key(*socket); !connected.ok()) {
    close_socket(*socket);
    return connected.error();
  }
  socket->peer = ++last_peer_;
  peers_[socket->peer].socket = socket;
  watch(socket);
  return socket->peer;
}

Status ZmqTransport::Impl::connect_with_key(Socket& socket) {
  CAPSTAN_ASSIGN(const std::optional<CurveKey> key, security_->key_for(socket.endpoint, socket.attempts));
  if (key) security_->secure_connection(socket.handle, *key);
  const std::string address = with_known_localhost(without_key(socket.endpoint));
  if (zmq_connect(socket.handle, address.c_str()) != 0) {
    const int reason = zmq_errno();
    CAPSTAN_TRY(check_endpoint(address, false).wrap("connect to " + socket.endpoint));
    return zmq_error(ErrorCode::kInvalid, "connect to", socket.endpoint, reason);
  }
  socket.key = key;
  return ok_status();
}

// A scheduler that was started again with a new key is found under it. libzmq itself tries on only where the
// connection broke off.
void ZmqTransport::Impl::connect_again(const std::weak_ptr<Socket>& failed, Handshake outcome) {
  if (const auto socket = failed.lock(); !socket || std::exchange(socket->connects_again, true)) return;
  loop_.call_after(options_.reconnect_max, [weak_impl = weak_from_this(), failed, outcome] {
    const auto impl = weak_impl.lock();
    const auto socket = failed.lock();
    if (!impl || !socket || socket->handle == nullptr) return;
    socket->connects_again = false;
    ++socket->attempts;
    const auto key = impl->security_->key_for(socket->endpoint, socket->attempts);
    if (!key.ok() || (outcome == Handshake::kBrokenOff && *key == socket->key)) return;
    char at[kEndpointMax];
    std::size_t size = sizeof(at);
    zmq_getsockopt(socket->handle, ZMQ_LAST_ENDPOINT, at, &size);
    zmq_disconnect(socket->handle, at);
    static_cast<void>(impl->connect_with_key(*socket).ok());
  });
}

Status ZmqTransport::Impl::send(PeerId to, Frames frames) {
  const auto found = peers_.find(to);
  if (found == peers_.end() || found->second.closed) {
    ++counters.sends_unavailable;
    return make_error(ErrorCode::kUnavailable, fmt::format("send to peer {}: unknown or closed", to));
  }
  Peer& peer = found->second;
  Socket& socket = *peer.socket;
  if (frames.empty() || frames.size() > options_.max_frames) {
    return make_error(ErrorCode::kInvalid, fmt::format("send to peer {}: {} frames", to, frames.size()));
  }
  for (const auto& frame : frames) {
    if (frame.size() <= options_.max_frame_bytes) continue;
    return make_error(ErrorCode::kInvalid, fmt::format("send to peer {}: a frame of {} bytes exceeds {}", to,
                                                       frame.size(), options_.max_frame_bytes));
  }
  const std::uint64_t bytes = total_bytes(frames);
  const std::uint64_t waiting = peer.on_the_way->load(std::memory_order_relaxed);
  if (waiting > 0 && waiting + bytes > options_.queue_bytes) {
    ++counters.sends_busy;
    return make_error(ErrorCode::kBusy, fmt::format("send to peer {}: {} bytes wait already", to, waiting));
  }
  // A send may take in what has arrived and with it the descriptor's only signal.
  drain_soon(peer.socket);
  if (socket.router && !send_frame(socket.handle, Buffer::copy_of(peer.routing_id), true, peer.on_the_way)) {
    const bool busy = zmq_errno() == EAGAIN;
    ++(busy ? counters.sends_busy : counters.sends_unavailable);
    return zmq_error(busy ? ErrorCode::kBusy : ErrorCode::kUnavailable, "send to peer", std::to_string(to),
                     zmq_errno());
  }
  bool sent = true;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool last = i + 1 == frames.size();
    // After a failure the rest goes the same way: libzmq throws it away up to the message's end.
    sent = send_frame(socket.handle, frames[i], !last, peer.on_the_way) && sent;
    if (!sent && i == 0 && !socket.router) {
      ++counters.sends_busy;
      return make_error(ErrorCode::kBusy, fmt::format("send to peer {}: its queue is full", to));
    }
  }
  if (!sent) {
    ++counters.sends_broken;
    return make_error(ErrorCode::kUnavailable, fmt::format("send to peer {}: the connection broke", to));
  }
  ++counters.messages_out;
  counters.bytes_out += bytes;
  return ok_status();
}

void ZmqTransport::Impl::close(PeerId id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  if (found->second.socket->router) {
    found->second.closed = true;
    return;
  }
  const Socketp socket = found->second.socket;
  close_socket(*socket);
  peers_.erase(found);
  std::erase(sockets_, socket);
}

bool ZmqTransport::Impl::has_input(const Socket& socket) const {
  int events = 0;
  std::size_t size = sizeof(events);
  return zmq_getsockopt(socket.handle, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

void ZmqTransport::Impl::drain_soon(const Socketp& socket) {
  if (std::exchange(socket->drain_posted, true)) return;
  loop_.post([weak_impl = weak_from_this(), weak = std::weak_ptr(socket)] {
    const auto impl = weak_impl.lock();
    const auto alive = weak.lock();
    if (!impl || !alive) return;
    alive->drain_posted = false;
    impl->drain(alive);
  });
}

void ZmqTransport::Impl::drain(const Socketp& socket) {
  const auto self = shared_from_this();  // a handler may destroy the transport
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    if (socket->handle == nullptr || !has_input(*socket)) return;
    if (!receive(socket)) return;
  }
  drain_soon(socket);
}

bool ZmqTransport::Impl::receive(const Socketp& socket) {
  const std::uint64_t keep = options_.max_frames + (socket->router ? 1U : 0U);  // the routing id
  auto received = receive_message(socket->handle, keep, socket->router && security_->has_keys());
  if (!received) return false;
  deliver(socket, std::move(*received));
  return true;
}

void ZmqTransport::Impl::deliver(const Socketp& socket, ReceivedMessage received) {
  Frames& frames = received.frames;
  PeerId from = socket->peer;
  if (socket->router) {
    from = inbound_peer(socket, frames.front(), received.user);
    frames.erase(frames.begin());
    --received.count;
  }
  const Peer& peer = peers_.at(from);
  if (peer.closed) {
    ++counters.dropped_closed_peer;
  } else if (peer.user != received.user) {
    security_->tell_impostor(received.user);
  } else if (received.count > options_.max_frames) {
    ++counters.dropped_too_many_frames;
  } else if (frames.empty()) {
    ++counters.dropped_empty;
  } else {
    ++counters.messages_in;
    counters.bytes_in += total_bytes(frames);
    const auto current = handler;
    if (current && *current) (*current)(from, std::move(frames));
  }
}

PeerId ZmqTransport::Impl::inbound_peer(const Socketp& socket, const Buffer& routing_id,
                                        const std::string& user) {
  const auto [position, added] = socket->inbound.try_emplace(std::string(routing_id.text()), 0);
  if (!added) {
    heard_.splice(heard_.end(), heard_, peers_.at(position->second).heard);
    return position->second;
  }
  const PeerId id = position->second = ++last_peer_;
  Peer& peer = peers_[id];
  peer.socket = socket;
  peer.routing_id = position->first;
  peer.user = user;
  peer.heard = heard_.insert(heard_.end(), id);
  if (heard_.size() > options_.max_inbound_peers) forget_oldest();
  return id;
}

bool ZmqTransport::Impl::may_act_as(PeerId id, std::string_view role) const {
  if (!security_->has_keys()) return true;
  const auto found = peers_.find(id);
  if (found == peers_.end()) return false;
  const bool may = found->second.user.starts_with(std::string(role) + ' ');
  if (!may) security_->tell_other_role(found->second.user, role);
  return may;
}

TransportCounters ZmqTransport::Impl::counted() const {
  TransportCounters now = counters;
  if (security_) now.security = security_->counters;
  return now;
}

void ZmqTransport::Impl::forget_oldest() {
  const auto found = peers_.find(heard_.front());
  found->second.socket->inbound.erase(found->second.routing_id);
  peers_.erase(found);
  heard_.pop_front();
  ++counters.peers_forgotten;
}

ZmqTransport::ZmqTransport(AsioLoop& loop, ZmqOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
ZmqTransport::~ZmqTransport() {
  impl_->shut_down();
}

Result<std::string> ZmqTransport::bind(const std::string& endpoint) {
  return impl_->bind(endpoint);
}
Result<PeerId> ZmqTransport::connect(const std::string& endpoint) {
  return impl_->connect(endpoint);
}
Status ZmqTransport::send(PeerId to, Frames frames) {
  return impl_->send(to, std::move(frames));
}
void ZmqTransport::close(PeerId peer) {
  impl_->close(peer);
}
void ZmqTransport::on_message(Handler handler) {
  impl_->handler = std::make_shared<const Handler>(std::move(handler));
}
bool ZmqTransport::may_act_as(PeerId peer, std::string_view role) const {
  return impl_->may_act_as(peer, role);
}
TransportCounters ZmqTransport::counters() const {
  return impl_->counted();
}

}  // namespace capstan
