#include "common/adapters/zmq_monitor.h"

#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include <cstring>
#include <optional>

#include "common/assert.h"

namespace capstan {
namespace {

struct Event {
  std::uint16_t kind = 0;
  std::string endpoint;
};

std::optional<std::string> take_text(void* socket) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  const bool got = zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0;
  std::optional<std::string> text;
  if (got) text.emplace(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
  zmq_msg_close(&message);
  return text;
}

// zmq_socket_monitor(3): a number of 16 bits and a value of 32, then the endpoint.
std::optional<Event> take_event(void* socket) {
  const auto head = take_text(socket);
  if (!head) return std::nullopt;
  Event event;
  if (head->size() >= sizeof(event.kind)) std::memcpy(&event.kind, head->data(), sizeof(event.kind));
  event.endpoint = take_text(socket).value_or("");
  return event;
}

}  // namespace

ZmqMonitor::ZmqMonitor(AsioLoop& loop, void* context, void* socket, Handler handler)
    : loop_(loop), watched_(socket), events_(zmq_socket(context, ZMQ_PAIR)), handler_(std::move(handler)) {
  constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  const std::string endpoint = fmt::format("inproc://monitor-{}", socket);
  CAPSTAN_ASSERT(events_ != nullptr && zmq_socket_monitor(socket, endpoint.c_str(), kEvents) == 0 &&
                     zmq_connect(events_, endpoint.c_str()) == 0,
                 "a socket of ours can be monitored");
  int fd = -1;
  std::size_t size = sizeof(fd);
  CAPSTAN_ASSERT(zmq_getsockopt(events_, ZMQ_FD, &fd, &size) == 0, "a socket has a descriptor");
  watch_ = loop_.watch_readable(fd, [this] { drain(); });
  drain();  // libzmq signals only whom it has left without a message
}

ZmqMonitor::~ZmqMonitor() {
  loop_.unwatch(watch_);
  zmq_socket_monitor(watched_, nullptr, 0);
  const int linger = 0;
  zmq_setsockopt(events_, ZMQ_LINGER, &linger, sizeof(linger));
  zmq_close(events_);
}

void ZmqMonitor::drain() {
  while (const auto event = take_event(events_)) {
    switch (event->kind) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        handler_(Handshake::kSucceeded, event->endpoint);
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        handler_(Handshake::kRefused, event->endpoint);
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        handler_(Handshake::kFailed, event->endpoint);
        break;
      default:
        handler_(Handshake::kBrokenOff, event->endpoint);
    }
  }
}

}  // namespace capstan
