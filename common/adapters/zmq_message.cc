#include "common/adapters/zmq_message.h"

#include <cstdint>

#include "common/adapters/zap_handler.h"
#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::size_t kAlignment = 8;

struct Outgoing {
  Outgoing(Buffer bytes, BytesOnTheWay counter) : frame(std::move(bytes)), on_the_way(std::move(counter)) {}
  Buffer frame;
  BytesOnTheWay on_the_way;
  // Orders what our thread wrote before what libzmq's thread frees. libzmq's queues do that too, but out of
  // the thread sanitizer's sight.
  std::atomic<bool> handed_over{false};
};

void release_outgoing(void*, void* hint) {
  const std::unique_ptr<Outgoing> outgoing(static_cast<Outgoing*>(hint));
  CAPSTAN_ASSERT(outgoing->handed_over.load(std::memory_order_acquire), "libzmq frees what it was given");
  outgoing->on_the_way->fetch_sub(outgoing->frame.size(), std::memory_order_relaxed);
}

struct Incoming {
  zmq_msg_t message;
  Incoming() { zmq_msg_init(&message); }
  ~Incoming() { zmq_msg_close(&message); }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
};

bool make_message(zmq_msg_t& message, const Buffer& frame, const BytesOnTheWay& on_the_way) {
  if (frame.size() < kCopyBelow) {
    if (zmq_msg_init_size(&message, frame.size()) != 0) return false;
    if (!frame.empty()) std::memcpy(zmq_msg_data(&message), frame.data(), frame.size());
    return true;
  }
  auto outgoing = std::make_unique<Outgoing>(frame, on_the_way);
  on_the_way->fetch_add(frame.size(), std::memory_order_relaxed);
  // libzmq only reads the bytes; its interface does not say so.
  auto* data = outgoing->frame.mutable_data();
  outgoing->handed_over.store(true, std::memory_order_release);
  if (zmq_msg_init_data(&message, data, frame.size(), release_outgoing, outgoing.get()) != 0) {
    on_the_way->fetch_sub(frame.size(), std::memory_order_relaxed);
    return false;
  }
  static_cast<void>(outgoing.release());  // release_outgoing() owns it now
  return true;
}

}  // namespace

std::uint64_t total_bytes(const Frames& frames) {
  std::uint64_t total = 0;
  for (const auto& frame : frames) total += frame.size();
  return total;
}

bool send_frame(void* socket, const Buffer& frame, bool more, const BytesOnTheWay& on_the_way) {
  zmq_msg_t message;
  if (!make_message(message, frame, on_the_way)) return false;
  while (zmq_msg_send(&message, socket, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0) {
    const int reason = zmq_errno();
    if (reason == EINTR) continue;
    zmq_msg_close(&message);
    errno = reason;
    return false;
  }
  return true;
}

Buffer take_frame(zmq_msg_t& message) {
  const std::size_t size = zmq_msg_size(&message);
  const auto* data = static_cast<const std::byte*>(zmq_msg_data(&message));
  if (size < kCopyBelow || reinterpret_cast<std::uintptr_t>(data) % kAlignment != 0) {
    Buffer copy = Buffer::copy_of(std::span(data, size));
    zmq_msg_close(&message);
    return copy;
  }
  auto owner = std::make_shared<Incoming>();
  CAPSTAN_ASSERT(zmq_msg_move(&owner->message, &message) == 0, "a received message can be moved");
  zmq_msg_close(&message);
  auto* bytes = static_cast<std::byte*>(zmq_msg_data(&owner->message));
  return Buffer(std::shared_ptr<std::byte>(std::move(owner), bytes), size);
}

std::optional<ReceivedMessage> receive_message(void* socket, std::uint64_t keep, bool with_user) {
  ReceivedMessage received;
  while (true) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    int got = -1;
    do {
      got = zmq_msg_recv(&message, socket, ZMQ_DONTWAIT);
    } while (got < 0 && zmq_errno() == EINTR);
    if (got < 0) {
      zmq_msg_close(&message);
      return std::nullopt;
    }
    const bool more = zmq_msg_more(&message) != 0;
    // The routing id's own frame has no properties when ZMQ_EVENTS was asked for before.
    const char* user = with_user && received.count == 1 ? zmq_msg_gets(&message, kZapUser) : nullptr;
    if (user != nullptr) received.user = user;
    if (received.count++ < keep) {
      received.frames.push_back(take_frame(message));
    } else {
      zmq_msg_close(&message);
    }
    if (!more) return received;
  }
}

}  // namespace capstan
