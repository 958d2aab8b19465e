// Peers that speak no ZeroMQ, or speak it with ill intent, over raw TCP sockets.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/adapters/zmq_transport.h"
#include "common/rng.h"
#include "tests/common/adapters/drive.h"

namespace capstan {
namespace {

class RawClient {
 public:
  explicit RawClient(const std::string& endpoint) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static_cast<void>(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool write(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // True once the other side has hung up.
  bool disconnected() {
    char scratch[4096];
    while (true) {
      const ssize_t got = recv(fd_, scratch, sizeof(scratch), 0);
      if (got > 0) {
        heard_ += static_cast<std::size_t>(got);
        continue;
      }
      return got == 0 || (errno != EAGAIN && errno != ENOTCONN);
    }
  }
  // Bytes received so far.
  std::size_t heard() {
    disconnected();
    return heard_;
  }

 private:
  int fd_;
  std::size_t heard_ = 0;
};

// ZMTP 3.0: greeting with the NULL mechanism, then a READY command of a DEALER.
std::string greeting() {
  std::string bytes = "\xff";
  bytes += std::string(8, '\0') + "\x7f";
  bytes += std::string("\x03\x00", 2) + "NULL" + std::string(16, '\0') + '\0' + std::string(31, '\0');
  return bytes;
}
std::string ready() {
  const std::string body = std::string("\x05READY", 6) + std::string("\x0bSocket-Type", 12) +
                           std::string("\x00\x00\x00\x06", 4) + "DEALER";
  return std::string("\x04", 1) + static_cast<char>(body.size()) + body;
}

class ZmqHostileTest : public ::testing::Test {
 protected:
  ZmqHostileTest() : server_(loop_, options()), client_(loop_, named("client")) {
    server_.on_message([this](PeerId from, Frames frames) {
      ++served_;
      newest_ = from;
      EXPECT_TRUE(server_.send(from, std::move(frames)).ok());
    });
    client_.on_message([this](PeerId, Frames) { ++answered_; });
    where_ = server_.bind("tcp://127.0.0.1:0").value();
    peer_ = client_.connect(where_).value();
  }

  static ZmqOptions named(const std::string& node) {
    ZmqOptions options;
    options.node = node;
    return options;
  }
  static ZmqOptions options() {
    ZmqOptions options = named("server");
    options.handshake_timeout = std::chrono::milliseconds(100);
    options.max_frame_bytes = 1 << 20;
    options.undelivered_timeout = std::chrono::milliseconds(300);
    return options;
  }
  // A well-behaved peer is still served.
  bool others_are_served() {
    const int before = answered_;
    EXPECT_TRUE(client_.send(peer_, {Buffer::copy_of("ping")}).ok());
    return drive(loop_, [&] { return answered_ == before + 1; });
  }
  // libzmq wants the rest of a handshake only after it has answered the greeting.
  void shake_hands(RawClient& raw) {
    raw.write(greeting());
    ASSERT_TRUE(drive(loop_, [&] { return raw.heard() >= greeting().size(); }));
    raw.write(ready());
  }
  bool hangs_up_on(RawClient& raw) {
    return drive(loop_, [&] { return raw.disconnected(); });
  }

  AsioLoop loop_;
  ZmqTransport server_, client_;
  std::string where_;
  PeerId peer_ = 0, newest_ = 0;
  int served_ = 0, answered_ = 0;
};

TEST_F(ZmqHostileTest, RandomBytes) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    RawClient raw(where_);
    std::string bytes(1 + rng.below(3000), '\0');
    for (auto& c : bytes) c = static_cast<char>(rng.next());
    // A half starts as a true greeting does.
    raw.write(seed % 2 == 0 ? greeting() + bytes : bytes);
    EXPECT_TRUE(others_are_served()) << "seed " << seed;
  }
  EXPECT_EQ(served_, 40);
}

TEST_F(ZmqHostileTest, SlowLorisIsHungUpOn) {
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<RawClient>(where_));
    silent.back()->write(greeting().substr(0, static_cast<std::size_t>(i)));
  }
  EXPECT_TRUE(others_are_served());
  for (auto& raw : silent) EXPECT_TRUE(hangs_up_on(*raw));
  EXPECT_TRUE(others_are_served());
}

TEST_F(ZmqHostileTest, AGoodRawClientIsServedSoTheTestSpeaksZmtp) {
  RawClient raw(where_);
  shake_hands(raw);
  raw.write(std::string("\x00\x02hi", 4));
  ASSERT_TRUE(drive(loop_, [&] { return served_ == 1; }));
  EXPECT_FALSE(raw.disconnected());
}

TEST_F(ZmqHostileTest, AFrameOfFourGibibytesIsHungUpOnBeforeItIsTaken) {
  RawClient raw(where_);
  shake_hands(raw);
  raw.write(std::string("\x02\x00\x00\x00\x01\x00\x00\x00\x00", 9) + "beginning");
  EXPECT_TRUE(hangs_up_on(raw));
  EXPECT_TRUE(others_are_served());
  EXPECT_EQ(served_, 1);
}

TEST_F(ZmqHostileTest, AFrameJustAboveTheLimitIsRefusedAndJustBelowTaken) {
  const auto announce = [](std::uint32_t size) {
    std::string header = std::string("\x02\x00\x00\x00\x00", 5);
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(size >> shift & 0xff);
    return header;
  };
  RawClient above(where_), at(where_);
  shake_hands(above);
  shake_hands(at);
  above.write(announce((1 << 20) + 1));
  at.write(announce(1 << 20));
  EXPECT_TRUE(hangs_up_on(above));
  EXPECT_TRUE(others_are_served());
  EXPECT_FALSE(at.disconnected());
}

TEST_F(ZmqHostileTest, APeerThatDiesInTheMiddleOfAMessageLeavesNothing) {
  {
    RawClient raw(where_);
    shake_hands(raw);
    raw.write(std::string("\x01\x02hi", 4) + std::string("\x00\x20half", 6));
    ASSERT_TRUE(drive(loop_, [&] { return raw.heard() > greeting().size(); }));  // its own READY
  }
  EXPECT_TRUE(others_are_served());
  EXPECT_EQ(served_, 1);
}

// As when its link is cut: what is sent to it is never taken.
TEST_F(ZmqHostileTest, APeerThatTakesNothingIsGivenUp) {
  RawClient raw(where_);
  shake_hands(raw);
  raw.write(std::string("\x00\x02hi", 4));
  ASSERT_TRUE(drive(loop_, [&] { return served_ == 1; }));
  const Buffer frame = Buffer::allocate(1 << 20);
  EXPECT_TRUE(drive(loop_, [&] {
    const Status sent = server_.send(newest_, {frame});
    return !sent.ok() && sent.error().code == ErrorCode::kUnavailable;
  }));
  EXPECT_TRUE(others_are_served());
}

}  // namespace
}  // namespace capstan
