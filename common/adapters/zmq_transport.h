// ZmqTransport: Transport on ZeroMQ. bind() makes a ROUTER, connect() a DEALER; the loop waits on each
// socket's descriptor. Frames travel without a copy in both directions, except small and misaligned ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/adapters/asio_loop.h"
#include "common/adapters/zmq_socket.h"
#include "common/transport.h"

namespace capstan {

struct TransportCounters {
  std::uint64_t messages_in = 0, bytes_in = 0, messages_out = 0, bytes_out = 0;
  std::uint64_t sends_busy = 0, sends_unavailable = 0, sends_broken = 0;
  std::uint64_t dropped_too_many_frames = 0, dropped_empty = 0, dropped_closed_peer = 0;
  std::uint64_t peers_forgotten = 0;
  SecurityCounters security;
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
  bool may_act_as(PeerId peer, std::string_view role) const override;

  TransportCounters counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace capstan
