// A tiny cluster for tests of the simulator itself: clients number their messages to a server, which echoes
// them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/world.h"

namespace capstan {

constexpr const char* kServerEndpoint = "sim://server:1";

inline Buffer number(std::uint64_t value) {
  return Buffer::copy_of(std::span<const std::uint64_t>(&value, 1));
}
inline std::uint64_t number(const Frames& frames) {
  return frames.at(0).as<std::uint64_t>()[0];
}

// What the nodes saw, across their lives.
struct Seen {
  std::vector<std::uint64_t> at_server, at_client;
  std::vector<PeerId> server_peers;
  std::uint64_t busy = 0;
};

struct EchoServer {
  EchoServer(SimNode& node, Seen& seen) {
    EXPECT_TRUE(node.transport().bind(kServerEndpoint).ok());
    node.transport().on_message([&node, &seen](PeerId from, Frames frames) {
      seen.at_server.push_back(number(frames));
      seen.server_peers.push_back(from);
      static_cast<void>(node.transport().send(from, std::move(frames)));
    });
  }
};

// Sends one message a millisecond, the next number each time.
class Counter {
 public:
  Counter(SimNode& node, Seen& seen, std::uint64_t first)
      : node_(node), seen_(seen), next_(first), timer_(node.loop()) {
    peer_ = node.transport().connect(kServerEndpoint).value();
    node.transport().on_message([&seen](PeerId, Frames frames) { seen.at_client.push_back(number(frames)); });
    tick();
  }

 private:
  void tick() {
    const Status sent = node_.transport().send(peer_, {number(next_)});
    if (sent.ok()) ++next_;
    if (!sent.ok() && sent.error().code == ErrorCode::kBusy) ++seen_.busy;
    timer_.start(std::chrono::milliseconds(1), [this] { tick(); });
  }

  SimNode& node_;
  Seen& seen_;
  std::uint64_t next_;
  PeerId peer_ = 0;
  Timer timer_;
};

inline Program echo_server(Seen& seen) {
  return [&seen](SimNode& node) { return std::make_shared<EchoServer>(node, seen); };
}
inline Program counter(Seen& seen, std::uint64_t first) {
  return [&seen, first](SimNode& node) { return std::make_shared<Counter>(node, seen, first); };
}

}  // namespace capstan
