#include "common/adapters/zap_handler.h"

#include <spdlog/fmt/fmt.h>
#include <zmq.h>

#include <cstring>
#include <vector>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
// The frames of a request: version, request id, domain, address, routing id, mechanism, credentials.
constexpr std::size_t kRequestId = 1, kAddress = 3, kMechanism = 5, kCredentials = 6;

std::vector<std::string> receive_all(void* socket) {
  std::vector<std::string> frames;
  bool more = true;
  while (more) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0) {
      frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
      more = zmq_msg_more(&message) != 0;
    } else {
      more = false;
    }
    zmq_msg_close(&message);
  }
  return frames;
}

void send_all(void* socket, const std::vector<std::string>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int more = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
    zmq_send(socket, frames[i].data(), frames[i].size(), more | ZMQ_DONTWAIT);
  }
}

}  // namespace

ZapHandler::ZapHandler(AsioLoop& loop, void* context, KeyRing& keys, Refused refused)
    : loop_(loop), keys_(keys), refused_(std::move(refused)), socket_(zmq_socket(context, ZMQ_REP)) {
  CAPSTAN_ASSERT(socket_ != nullptr && zmq_bind(socket_, kEndpoint) == 0, "a context has one ZAP handler");
  int fd = -1;
  std::size_t size = sizeof(fd);
  CAPSTAN_ASSERT(zmq_getsockopt(socket_, ZMQ_FD, &fd, &size) == 0, "a socket has a descriptor");
  watch_ = loop_.watch_readable(fd, [this] { drain(); });
  drain();
}

ZapHandler::~ZapHandler() {
  loop_.unwatch(watch_);
  const int linger = 0;
  zmq_setsockopt(socket_, ZMQ_LINGER, &linger, sizeof(linger));
  zmq_close(socket_);
}

void ZapHandler::drain() {
  while (answer_one()) {
  }
}

bool ZapHandler::answer_one() {
  const std::vector<std::string> request = receive_all(socket_);
  if (request.empty()) return false;
  const auto refuse = [&](const std::string& why) {
    if (request.size() > kAddress) refused_(why, request[kAddress]);
    const std::string id = request.size() > kRequestId ? request[kRequestId] : "";
    send_all(socket_, {"1.0", id, "400", "no", "", ""});
    return true;
  };
  CurveKey key{};
  const bool whole = request.size() > kCredentials && request[kMechanism] == "CURVE" &&
                     request[kCredentials].size() == key.size();
  if (!whole) return refuse("it speaks no Curve");
  std::memcpy(key.data(), request[kCredentials].data(), key.size());
  const AllowedKey* known = keys_.find(key);
  if (known == nullptr)
    return refuse(fmt::format("its key {} is not in the list of allowed ones", to_hex(key)));
  const std::string user = fmt::format("{} {}", to_string(known->role), known->name);
  send_all(socket_, {"1.0", request[kRequestId], "200", "OK", user, ""});
  return true;
}

}  // namespace capstan
