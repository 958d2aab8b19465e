// Transport: messages between nodes, the second of the three seams.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

// Frame 0 is a Cap'n Proto header; bulk arrays follow as frames of their own.
using Frames = std::vector<Buffer>;

// One end of a conversation as this node sees it. Never reused within a transport's life.
using PeerId = std::uint64_t;

// Delivery is at most once and in order per peer while a connection lasts; a message may vanish with its
// connection. Whoever needs more (leases, pushes) resends. All calls are made on the node's loop.
class Transport {
 public:
  using Handler = std::function<void(PeerId from, Frames frames)>;

  virtual ~Transport() = default;

  // Listens; port 0 picks one. Returns the endpoint that others can connect to ("tcp://127.0.0.1:41233").
  virtual Result<std::string> bind(const std::string& endpoint) = 0;
  // Never waits: a peer that is not there yet is connected in the background, its messages queued meanwhile.
  virtual Result<PeerId> connect(const std::string& endpoint) = 0;
  // kBusy when the peer's queue is full: nothing was sent. kUnavailable when the peer is unknown or closed.
  virtual Status send(PeerId to, Frames frames) = 0;
  // Ends a conversation; for a peer that connected to us, whatever it sends from now on is dropped and
  // counted.
  virtual void close(PeerId peer) = 0;
  virtual void on_message(Handler handler) = 0;
  // Whether the key of a peer that connected to us is one of that role's. A transport without keys trusts
  // all.
  virtual bool may_act_as(PeerId /*peer*/, std::string_view /*role*/) const { return true; }
};

}  // namespace capstan
