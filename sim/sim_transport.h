// SimTransport: one node's place in the simulated network.
#pragma once

#include <string>
#include <utility>

#include "sim/network.h"

namespace capstan {

// Frames that arrive are copies aligned to 8 bytes, as the production transport's. While the node is down
// every call fails or does nothing.
class SimTransport final : public Transport {
 public:
  SimTransport(EventQueue& queue, SimNetwork& network, NodeIndex node)
      : queue_(queue), network_(network), node_(node) {}

  Result<std::string> bind(const std::string& endpoint) override {
    if (!queue_.up(node_)) return down();
    return network_.bind(node_, endpoint);
  }
  Result<PeerId> connect(const std::string& endpoint) override {
    if (!queue_.up(node_)) return down();
    return network_.connect(node_, endpoint);
  }
  Status send(PeerId to, Frames frames) override {
    if (!queue_.up(node_)) return down();
    return network_.send(node_, to, std::move(frames));
  }
  void close(PeerId peer) override {
    if (queue_.up(node_)) network_.close(node_, peer);
  }
  void on_message(Handler handler) override {
    if (queue_.up(node_)) network_.set_handler(node_, std::move(handler));
  }

 private:
  static Error down() { return make_error(ErrorCode::kUnavailable, "this node is down"); }

  EventQueue& queue_;
  SimNetwork& network_;
  NodeIndex node_;
};

}  // namespace capstan
