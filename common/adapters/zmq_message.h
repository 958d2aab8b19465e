// Frames as ZeroMQ messages: who owns the bytes on their way through libzmq. Only zmq_*.cc include this.
#pragma once

#include <zmq.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "common/buffer.h"
#include "common/transport.h"

namespace capstan {

// Bytes handed to libzmq without a copy and not yet freed by it. Shared with its thread.
using BytesOnTheWay = std::shared_ptr<std::atomic<std::uint64_t>>;

// Frames below this are copied: cheaper than an allocation and a reference count passed between threads.
constexpr std::size_t kCopyBelow = 512;

std::uint64_t total_bytes(const Frames& frames);

// Sends one frame without waiting. False: errno says why and nothing is kept.
bool send_frame(void* socket, const Buffer& frame, bool more, const BytesOnTheWay& on_the_way);

// Takes over `message` (closes it). Large aligned frames keep the message alive; others are copied.
Buffer take_frame(zmq_msg_t& message);

struct ReceivedMessage {
  Frames frames;
  std::uint64_t count = 0;  // of the frames that came, those beyond `keep` among them
  std::string user;         // of the peer's key; empty: not asked for, or it has none
};
// nullopt: there is none. `with_user`: of a ROUTER, whose first frame is the routing id.
std::optional<ReceivedMessage> receive_message(void* socket, std::uint64_t keep, bool with_user);

}  // namespace capstan
