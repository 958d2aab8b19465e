// ZmqTransport: Transport on ZeroMQ. bind() makes a ROUTER, connect() a DEALER; the loop waits on each
// socket's descriptor. Frames travel without a copy in both directions, except small and misaligned ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/adapters/asio_loop.h"
#include "common/transport.h"

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
};

struct TransportCounters {
  std::uint64_t messages_in = 0, bytes_in = 0, messages_out = 0, bytes_out = 0;
  std::uint64_t sends_busy = 0, sends_unavailable = 0, sends_broken = 0;
  std::uint64_t dropped_too_many_frames = 0, dropped_empty = 0, dropped_closed_peer = 0;
  std::uint64_t peers_forgotten = 0;
};

// A connecting node that comes back to a bound socket under the same (node, incarnation) keeps its PeerId.
// Received frames are aligned to 8 bytes. Frames handed to send() may be freed on another thread.
// Limits that libzmq leaves open: it holds an unfinished message's frames in memory however many there are,
// so peers are trusted not to send endless messages; connect() to a name that does not resolve is retried
// silently for ever.
class ZmqTransport final : public Transport {
 public:
  ZmqTransport(AsioLoop& loop, ZmqOptions options);
  ~ZmqTransport() override;

  Result<std::string> bind(const std::string& endpoint) override;
  Result<PeerId> connect(const std::string& endpoint) override;
  Status send(PeerId to, Frames frames) override;
  void close(PeerId peer) override;
  void on_message(Handler handler) override;

  const TransportCounters& counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace capstan
