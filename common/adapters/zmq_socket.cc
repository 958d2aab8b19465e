#include "common/adapters/zmq_socket.h"

#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include <cerrno>

#include "common/adapters/endpoint.h"
#include "common/assert.h"

namespace capstan {
namespace {

int to_ms(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Error zmq_error(ErrorCode code, std::string_view attempted, const std::string& endpoint, int reason) {
  return make_error(code, fmt::format("{} {}: {}", attempted, endpoint, zmq_strerror(reason)));
}

bool configure_socket(void* handle, const ZmqOptions& options, const std::string& routing_id) {
  bool good = true;
  const auto set = [&](int option, int value) {
    good = good && zmq_setsockopt(handle, option, &value, sizeof(value)) == 0;
  };
  set(ZMQ_SNDHWM, static_cast<int>(options.queue_messages));
  set(ZMQ_RCVHWM, static_cast<int>(options.queue_messages));
  set(ZMQ_HANDSHAKE_IVL, to_ms(options.handshake_timeout));
  set(ZMQ_HEARTBEAT_IVL, to_ms(options.heartbeat_interval));
  set(ZMQ_HEARTBEAT_TIMEOUT, to_ms(options.heartbeat_timeout));
  set(ZMQ_HEARTBEAT_TTL, to_ms(options.heartbeat_timeout));
  set(ZMQ_TCP_MAXRT, to_ms(options.undelivered_timeout));
  set(ZMQ_CONNECT_TIMEOUT, to_ms(options.connect_timeout));
  set(ZMQ_RECONNECT_IVL, to_ms(options.reconnect_min));
  set(ZMQ_RECONNECT_IVL_MAX, to_ms(options.reconnect_max));
  set(ZMQ_IMMEDIATE, 0);
  set(ZMQ_LINGER, to_ms(options.linger));
  // Any domain makes libzmq refuse peers of ZMTP 1.0 and 2.0; to the former every byte sequence is a message.
  constexpr std::string_view kDomain = "capstan";
  good = good && zmq_setsockopt(handle, ZMQ_ZAP_DOMAIN, kDomain.data(), kDomain.size()) == 0;
  const auto max_frame = static_cast<std::int64_t>(options.max_frame_bytes);
  good = good && zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &max_frame, sizeof(max_frame)) == 0;
  if (routing_id.empty()) {
    set(ZMQ_ROUTER_MANDATORY, 1);
    set(ZMQ_ROUTER_HANDOVER, 1);
  } else {
    good = good && zmq_setsockopt(handle, ZMQ_ROUTING_ID, routing_id.data(), routing_id.size()) == 0;
  }
  return good;
}

Result<std::string> listen_at(void* socket, const std::string& address) {
  int reason = zmq_bind(socket, address.c_str()) == 0 ? 0 : zmq_errno();
  bool resolved = false;
  if (reason == ENODEV) {
    const auto numeric = with_numeric_host(address);
    if (!numeric.ok()) return numeric.error().wrap("listen on " + address);
    reason = zmq_bind(socket, numeric->c_str()) == 0 ? 0 : zmq_errno();
    resolved = reason == 0;
  }
  if (reason != 0) {
    if (reason != EADDRINUSE) return zmq_error(ErrorCode::kInvalid, "listen on", address, reason);
    Error taken = zmq_error(ErrorCode::kIo, "listen on", address, reason);
    taken.message += ": stop what listens there, or choose another port";
    return taken;
  }
  char bound[1024];
  std::size_t size = sizeof(bound);
  CAPSTAN_ASSERT(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) == 0, "a bound socket knows where");
  return resolved ? with_host_of(bound, address) : std::string(bound);
}

}  // namespace capstan
