// One ZeroMQ socket: its settings, and how it comes to listen.
#pragma once

#include <cstdint>
#include <string>

#include "common/adapters/wire_security.h"
#include "common/event_loop.h"
#include "common/result.h"

namespace capstan {

struct ZmqOptions {
  std::string node = "node";      // with `incarnation`, names this node's connections to whom it connects
  std::uint64_t incarnation = 0;  // differs between two lives of a node; 0 draws one
  std::uint64_t max_frame_bytes = std::uint64_t{256}
                                  << 20;  // a peer that announces a larger frame is disconnected
  std::uint32_t max_frames = 16;          // a message of more frames is dropped
  std::uint32_t queue_messages = 1000;    // a peer, a direction: send() then answers kBusy
  std::uint64_t queue_bytes = std::uint64_t{1}
                              << 30;        // a peer, outgoing; one message is let through whatever its size
  std::uint32_t max_inbound_peers = 65536;  // beyond it the one silent for longest is forgotten
  Duration handshake_timeout = std::chrono::seconds(10);
  Duration heartbeat_interval = std::chrono::seconds(2);
  Duration heartbeat_timeout = std::chrono::seconds(30);  // must exceed the time one frame takes on the wire
  // A connection over which nothing sent has arrived for so long is made anew. A link that was cut for a
  // while would else stay silent for as long again, because TCP waits twice as long before each repetition.
  Duration undelivered_timeout = std::chrono::seconds(5);
  Duration connect_timeout = std::chrono::seconds(3);
  Duration reconnect_min = std::chrono::milliseconds(50);
  Duration reconnect_max = std::chrono::seconds(1);
  Duration linger{0};  // how long close() and the destructor may go on sending what is queued
  SecurityOptions security;
};

// `routing_id` empty: of a ROUTER. False when libzmq does not know an option.
bool configure_socket(void* socket, const ZmqOptions& options, const std::string& routing_id);

// A host name is resolved. Gives where it listens, under the name that was given.
Result<std::string> listen_at(void* socket, const std::string& address);

Error zmq_error(ErrorCode code, std::string_view attempted, const std::string& endpoint, int reason);

}  // namespace capstan
