#include "common/adapters/zmq_transport.h"

#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include <list>
#include <random>
#include <unordered_map>

#include "common/adapters/endpoint.h"
#include "common/adapters/zmq_message.h"
#include "common/assert.h"

namespace capstan {
namespace {

// Messages taken from one socket before timers and other sockets get their turn.
constexpr int kMessagesPerTurn = 64;
constexpr int kMaxSockets = 16384;

int to_ms(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

Error zmq_error(ErrorCode code, std::string_view attempted, const std::string& endpoint, int reason) {
  return make_error(code, fmt::format("{} {}: {}", attempted, endpoint, zmq_strerror(reason)));
}

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

  // Shared, so that a handler may replace itself.
  std::shared_ptr<const Handler> handler;
  TransportCounters counters;

 private:
  struct Socket {
    void* handle = nullptr;  // null once closed
    AsioLoop::WatchId watch = 0;
    bool router = false;
    bool drain_posted = false;
    PeerId peer = 0;                                  // DEALER
    std::unordered_map<std::string, PeerId> inbound;  // ROUTER: by routing id
  };
  struct Peer {
    std::shared_ptr<Socket> socket;
    std::string routing_id;  // ROUTER
    BytesOnTheWay on_the_way = std::make_shared<std::atomic<std::uint64_t>>(0);
    bool closed = false;
    std::list<PeerId>::iterator heard;  // ROUTER: its place in heard_
  };
  using Socketp = std::shared_ptr<Socket>;

  Result<Socketp> open(int type, const std::string& endpoint);
  bool configure(void* handle, int type);
  void watch(const Socketp& socket);
  void close_socket(Socket& socket);
  void drain(const Socketp& socket);
  void drain_soon(const Socketp& socket);
  bool has_input(const Socket& socket) const;
  bool receive(const Socketp& socket);
  bool receive_frames(Socket& socket, Frames& frames, std::uint64_t& count);
  void deliver(const Socketp& socket, Frames frames, std::uint64_t count);
  PeerId inbound_peer(const Socketp& socket, const Buffer& routing_id);
  void forget_oldest();

  AsioLoop& loop_;
  const ZmqOptions options_;
  const std::string identity_;
  void* context_;
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
}

ZmqTransport::Impl::~Impl() {
  shut_down();
}

void ZmqTransport::Impl::shut_down() {
  if (context_ == nullptr) return;
  for (const auto& socket : sockets_) close_socket(*socket);
  // Waits for the sockets' linger at most.
  while (zmq_ctx_term(context_) != 0 && zmq_errno() == EINTR) {
  }
  context_ = nullptr;
}

bool ZmqTransport::Impl::configure(void* handle, int type) {
  bool good = true;
  const auto set = [&](int option, int value) {
    good = good && zmq_setsockopt(handle, option, &value, sizeof(value)) == 0;
  };
  set(ZMQ_SNDHWM, static_cast<int>(options_.queue_messages));
  set(ZMQ_RCVHWM, static_cast<int>(options_.queue_messages));
  set(ZMQ_HANDSHAKE_IVL, to_ms(options_.handshake_timeout));
  set(ZMQ_HEARTBEAT_IVL, to_ms(options_.heartbeat_interval));
  set(ZMQ_HEARTBEAT_TIMEOUT, to_ms(options_.heartbeat_timeout));
  set(ZMQ_HEARTBEAT_TTL, to_ms(options_.heartbeat_timeout));
  set(ZMQ_TCP_MAXRT, to_ms(options_.undelivered_timeout));
  set(ZMQ_CONNECT_TIMEOUT, to_ms(options_.connect_timeout));
  set(ZMQ_RECONNECT_IVL, to_ms(options_.reconnect_min));
  set(ZMQ_RECONNECT_IVL_MAX, to_ms(options_.reconnect_max));
  set(ZMQ_IMMEDIATE, 0);
  set(ZMQ_LINGER, to_ms(options_.linger));
  // Any domain makes libzmq refuse peers of ZMTP 1.0 and 2.0; to the former every byte sequence is a message.
  constexpr std::string_view kDomain = "capstan";
  good = good && zmq_setsockopt(handle, ZMQ_ZAP_DOMAIN, kDomain.data(), kDomain.size()) == 0;
  const auto max_frame = static_cast<std::int64_t>(options_.max_frame_bytes);
  good = good && zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &max_frame, sizeof(max_frame)) == 0;
  if (type == ZMQ_ROUTER) {
    set(ZMQ_ROUTER_MANDATORY, 1);
    set(ZMQ_ROUTER_HANDOVER, 1);
  } else {
    const std::string id = fmt::format("{}/{}", identity_, ++connections_);
    good = good && zmq_setsockopt(handle, ZMQ_ROUTING_ID, id.data(), id.size()) == 0;
  }
  return good;
}

Result<ZmqTransport::Impl::Socketp> ZmqTransport::Impl::open(int type, const std::string& endpoint) {
  auto socket = std::make_shared<Socket>();
  socket->router = type == ZMQ_ROUTER;
  socket->handle = zmq_socket(context_, type);
  if (socket->handle == nullptr) return zmq_error(ErrorCode::kIo, "make a socket for", endpoint, zmq_errno());
  CAPSTAN_ASSERT(configure(socket->handle, type), "libzmq knows every option that is set");
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
  zmq_close(std::exchange(socket.handle, nullptr));
}

Result<std::string> ZmqTransport::Impl::bind(const std::string& endpoint) {
  CAPSTAN_ASSIGN(auto socket, open(ZMQ_ROUTER, endpoint));
  int reason = zmq_bind(socket->handle, endpoint.c_str()) == 0 ? 0 : zmq_errno();
  bool resolved = false;
  if (reason == ENODEV) {
    const auto numeric = with_numeric_host(endpoint);
    if (!numeric.ok()) {
      close_socket(*socket);
      return numeric.error().wrap("listen on " + endpoint);
    }
    reason = zmq_bind(socket->handle, numeric->c_str()) == 0 ? 0 : zmq_errno();
    resolved = reason == 0;
  }
  if (reason != 0) {
    close_socket(*socket);
    const bool may_pass = reason == EADDRINUSE;
    return zmq_error(may_pass ? ErrorCode::kIo : ErrorCode::kInvalid, "listen on", endpoint, reason);
  }
  watch(socket);
  char bound[1024];
  std::size_t size = sizeof(bound);
  CAPSTAN_ASSERT(zmq_getsockopt(socket->handle, ZMQ_LAST_ENDPOINT, bound, &size) == 0,
                 "a bound socket knows where");
  return resolved ? with_host_of(bound, endpoint) : std::string(bound);
}

Result<PeerId> ZmqTransport::Impl::connect(const std::string& endpoint) {
  CAPSTAN_ASSIGN(auto socket, open(ZMQ_DEALER, endpoint));
  if (zmq_connect(socket->handle, with_known_localhost(endpoint).c_str()) != 0) {
    const int reason = zmq_errno();
    close_socket(*socket);
    return zmq_error(ErrorCode::kInvalid, "connect to", endpoint, reason);
  }
  socket->peer = ++last_peer_;
  peers_[socket->peer].socket = socket;
  watch(socket);
  return socket->peer;
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
  Frames frames;
  std::uint64_t count = 0;
  if (!receive_frames(*socket, frames, count)) return false;
  deliver(socket, std::move(frames), count);
  return true;
}

// Keeps the first max_frames (and the routing id); counts all.
bool ZmqTransport::Impl::receive_frames(Socket& socket, Frames& frames, std::uint64_t& count) {
  const std::uint64_t keep = options_.max_frames + (socket.router ? 1U : 0U);
  while (true) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    int got = -1;
    do {
      got = zmq_msg_recv(&message, socket.handle, ZMQ_DONTWAIT);
    } while (got < 0 && zmq_errno() == EINTR);
    if (got < 0) {
      zmq_msg_close(&message);
      return false;
    }
    const bool more = zmq_msg_more(&message) != 0;
    if (count++ < keep) {
      frames.push_back(take_frame(message));
    } else {
      zmq_msg_close(&message);
    }
    if (!more) return true;
  }
}

void ZmqTransport::Impl::deliver(const Socketp& socket, Frames frames, std::uint64_t count) {
  PeerId from = socket->peer;
  if (socket->router) {
    from = inbound_peer(socket, frames.front());
    frames.erase(frames.begin());
    --count;
  }
  if (peers_.at(from).closed) {
    ++counters.dropped_closed_peer;
  } else if (count > options_.max_frames) {
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

PeerId ZmqTransport::Impl::inbound_peer(const Socketp& socket, const Buffer& routing_id) {
  const auto [position, added] = socket->inbound.try_emplace(std::string(routing_id.text()), 0);
  if (!added) {
    heard_.splice(heard_.end(), heard_, peers_.at(position->second).heard);
    return position->second;
  }
  const PeerId id = position->second = ++last_peer_;
  Peer& peer = peers_[id];
  peer.socket = socket;
  peer.routing_id = position->first;
  peer.heard = heard_.insert(heard_.end(), id);
  if (heard_.size() > options_.max_inbound_peers) forget_oldest();
  return id;
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
const TransportCounters& ZmqTransport::counters() const {
  return impl_->counters;
}

}  // namespace capstan
