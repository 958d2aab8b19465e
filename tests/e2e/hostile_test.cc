// A running cluster beside peers that send it garbage, or a byte now and then for ever.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/rng.h"
#include "tests/e2e/scene.h"

namespace capstan {
namespace {

// A TCP connection that speaks whatever it is told to.
class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawPeer() { ::close(socket_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  bool connected() const { return connected_; }
  void write(const std::string& bytes) {
    ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  // Waits for so many bytes, a second at the most.
  void read(std::size_t count) {
    const timeval patience{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    std::string bytes(count, ' ');
    static_cast<void>(::recv(socket_, bytes.data(), count, MSG_WAITALL));
  }

 private:
  int socket_;
  bool connected_ = false;
};

// ZMTP 3.1: the greeting without security, and a DEALER's READY.
std::string greeting() {
  return std::string("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL", 16) + std::string(48, '\0');
}
std::string ready() {
  const std::string body = std::string("\x05READY", 6) + std::string("\x0bSocket-Type", 12) +
                           std::string("\0\0\0\x06", 4) + "DEALER";
  return std::string("\x04", 1) + static_cast<char>(body.size()) + body;
}

// libzmq wants the rest of a handshake only after it has answered the greeting.
void shake_hands(RawPeer& peer) {
  peer.write(greeting());
  peer.read(greeting().size());
  peer.write(ready());
}

std::string noise(Rng& rng, std::size_t length) {
  std::string bytes;
  for (std::size_t i = 0; i < length; ++i) bytes.push_back(static_cast<char>(rng.below(256)));
  return bytes;
}

// A message of one frame.
std::string frame(const std::string& body) {
  return std::string("\0", 1) + static_cast<char>(body.size()) + body;
}

using Hostile = Scene;

TEST_F(Hostile, PeersDoNotDisturbARun) {
  constexpr std::uint64_t kSeed = 3;
  const auto running = start({"run", ratings_job("{passes: 60, batch_size: 64}")});
  const std::string scheduler = endpoint_in("work/scheduler.endpoint", *running);
  ASSERT_NE(scheduler, "") << running->err();
  std::string server;
  ASSERT_TRUE(eventually(
      [&] {
        const std::string log = text_of(path("work/logs/ps-0.log"));
        const auto found = log.find("server at ");
        if (found == std::string::npos || log.find('\n', found) == std::string::npos) return false;
        server = log.substr(found + 10, log.find('\n', found) - found - 10);
        return true;
      },
      kPatience));
  Rng rng(kSeed);
  std::vector<std::unique_ptr<RawPeer>> slow, huge;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(std::make_unique<RawPeer>(i % 2 == 0 ? scheduler : server));
    ASSERT_TRUE(slow.back()->connected());
  }
  for (const std::string& victim : {scheduler, server}) {
    huge.push_back(std::make_unique<RawPeer>(victim));
    shake_hands(*huge.back());
    huge.back()->write(std::string("\x02\0\0\0\x01\0\0\0\0beginning", 18));  // announces 4 GiB
  }
  std::size_t turn = 0;
  // Every few milliseconds one byte of a handshake from each, noise from a new peer, and well-formed ZeroMQ
  // messages that are none of ours from another, until the job has ended.
  EXPECT_TRUE(eventually(
      [&] {
        for (auto& peer : slow) peer->write(greeting().substr(turn % 64, 1));
        const std::string& victim = turn % 2 == 0 ? scheduler : server;
        RawPeer loud(victim), fluent(victim);
        loud.write(noise(rng, 1 + rng.below(300)));
        shake_hands(fluent);
        fluent.write(frame(noise(rng, 1 + rng.below(200))));
        ++turn;
        return running->ended().has_value();
      },
      kPatience));
  EXPECT_EQ(running->wait(kPatience), 0) << "seed " << kSeed << "\n" << running->err() << running->out();
  EXPECT_GT(turn, 10U);
  const auto report = json("report.json");
  EXPECT_EQ(at(report, "state"), "done");
  EXPECT_NE(serialize(at(report, "refused")), "{}");
}

}  // namespace
}  // namespace capstan
