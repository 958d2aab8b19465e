#include "common/adapters/zmq_transport.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/rng.h"
#include "tests/common/adapters/drive.h"

namespace capstan {
namespace {

Buffer random_bytes(std::size_t size, std::uint64_t seed) {
  Buffer buffer = Buffer::allocate(size);
  Rng rng(seed);
  for (std::size_t i = 0; i < size; ++i) buffer.mutable_data()[i] = static_cast<std::byte>(rng.next());
  return buffer;
}

Frames text_frames(std::initializer_list<std::string_view> texts) {
  Frames frames;
  for (const auto text : texts) frames.push_back(Buffer::copy_of(text));
  return frames;
}

// A transport and what it has received.
struct End {
  End(AsioLoop& loop, ZmqOptions options) : transport(loop, std::move(options)) {
    transport.on_message([this](PeerId from, Frames frames) {
      for (const auto& frame : frames) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame.data()) % 8, 0U);
      }
      if (echo) {
        EXPECT_TRUE(transport.send(from, frames).ok());
      }
      peers.push_back(from);
      messages.push_back(std::move(frames));
    });
  }
  std::string text(std::size_t message) const {
    std::string joined;
    for (const auto& frame : messages.at(message)) joined += std::string(frame.text()) + "|";
    return joined;
  }

  ZmqTransport transport;
  bool echo = false;
  std::vector<PeerId> peers;
  std::vector<Frames> messages;
};

ZmqOptions named(std::string node) {
  ZmqOptions options;
  options.node = std::move(node);
  options.incarnation = 1;
  options.reconnect_max = std::chrono::milliseconds(200);
  return options;
}

class ZmqTransportTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::string endpoint() const {
    if (GetParam() == "tcp") return "tcp://127.0.0.1:0";
    return "ipc:///tmp/zmq_transport_test_" + std::to_string(getpid());
  }
  AsioLoop loop_;
};

INSTANTIATE_TEST_SUITE_P(Wires, ZmqTransportTest, ::testing::Values("tcp", "ipc"));

TEST_P(ZmqTransportTest, MessagesGoBothWaysWithTheirFrames) {
  End server(loop_, named("server")), client(loop_, named("client"));
  server.echo = true;
  const std::string where = server.transport.bind(endpoint()).value();
  const PeerId peer = client.transport.connect(where).value();
  ASSERT_TRUE(client.transport.send(peer, text_frames({"header", "", "keys"})).ok());
  ASSERT_TRUE(drive(loop_, [&] { return client.messages.size() == 1; }));
  EXPECT_EQ(server.text(0), "header||keys|");
  EXPECT_EQ(client.text(0), "header||keys|");
  EXPECT_EQ(client.peers[0], peer);
  EXPECT_EQ(client.transport.counters().messages_out, 1U);
  EXPECT_EQ(client.transport.counters().bytes_out, 10U);
  EXPECT_EQ(server.transport.counters().bytes_in, 10U);
}

TEST_P(ZmqTransportTest, BigFramesArriveWholeAndWithoutACopyOut) {
  End server(loop_, named("server")), client(loop_, named("client"));
  const std::string where = server.transport.bind(endpoint()).value();
  const PeerId peer = client.transport.connect(where).value();
  const Buffer big = random_bytes(16 << 20, 1), odd = random_bytes(100'003, 2), small = random_bytes(511, 3);
  ASSERT_TRUE(client.transport.send(peer, {small, big, odd}).ok());
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == 1; }));
  const Frames& got = server.messages[0];
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].text(), small.text());
  EXPECT_EQ(got[1].text(), big.text());
  EXPECT_EQ(got[2].text(), odd.text());
}

TEST_P(ZmqTransportTest, ManyMessagesKeepTheirOrder) {
  End server(loop_, named("server")), client(loop_, named("client"));
  server.echo = true;
  const std::string where = server.transport.bind(endpoint()).value();
  const PeerId peer = client.transport.connect(where).value();
  constexpr std::uint32_t kMessages = 20'000;
  std::uint32_t sent = 0;
  Rng rng(7);
  ASSERT_TRUE(drive(loop_,
                    [&] {
                      while (sent < kMessages && sent < client.messages.size() + 300) {
                        std::vector<std::uint32_t> words(1 + rng.below(400), sent);
                        if (!client.transport.send(peer, {Buffer::adopt(std::move(words))}).ok()) break;
                        ++sent;
                      }
                      return client.messages.size() == kMessages;
                    }))
      << sent << " sent, " << server.messages.size() << " at the server, " << client.messages.size()
      << " back";
  for (std::uint32_t i = 0; i < kMessages; ++i) {
    const auto words = client.messages[i][0].as<std::uint32_t>();
    ASSERT_EQ(words.front(), i);
    ASSERT_EQ(words.back(), i);
  }
}

TEST_P(ZmqTransportTest, AClientOutlivesItsServer) {
  End client(loop_, named("client"));
  auto server = std::make_unique<End>(loop_, named("server"));
  const std::string where = server->transport.bind(endpoint()).value();
  const PeerId peer = client.transport.connect(where).value();
  ASSERT_TRUE(client.transport.send(peer, text_frames({"first"})).ok());
  ASSERT_TRUE(drive(loop_, [&] { return server->messages.size() == 1; }));
  server.reset();
  server = std::make_unique<End>(loop_, named("server"));
  // The old listener's port is free once libzmq's own thread has let go of it.
  ASSERT_TRUE(drive(loop_, [&] { return server->transport.bind(where).ok(); }));
  server->echo = true;
  int sends = 0;
  ASSERT_TRUE(drive(loop_, [&] {
    if (sends++ % 50 == 0) static_cast<void>(client.transport.send(peer, text_frames({"again"})));
    return !client.messages.empty();
  }));
  EXPECT_EQ(client.text(0), "again|");
  EXPECT_EQ(client.peers[0], peer);
}

TEST_P(ZmqTransportTest, MessagesToAPeerThatIsNotThereYetWait) {
  End client(loop_, named("client"));
  std::string where;
  {
    End probe(loop_, named("probe"));
    where = probe.transport.bind(endpoint()).value();
  }
  const PeerId peer = client.transport.connect(where).value();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(client.transport.send(peer, text_frames({std::to_string(i)})).ok());
  }
  End server(loop_, named("server"));
  ASSERT_TRUE(drive(loop_, [&] { return server.transport.bind(where).ok(); }));
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == 10; }));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(server.text(i), std::to_string(i) + "|");
}

TEST_P(ZmqTransportTest, AFullQueueIsBusyAndSendsNothing) {
  End client(loop_, [] {
    ZmqOptions options = named("client");
    options.queue_messages = 5;
    return options;
  }());
  std::string where;
  {
    End probe(loop_, named("probe"));
    where = probe.transport.bind(endpoint()).value();
  }
  const PeerId peer = client.transport.connect(where).value();
  std::size_t accepted = 0;
  Status status = ok_status();
  while (accepted < 1000) {
    status = client.transport.send(peer, text_frames({std::to_string(accepted), "second"}));
    if (!status.ok()) break;
    ++accepted;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kBusy);
  EXPECT_EQ(client.transport.counters().sends_busy, 1U);
  End server(loop_, named("server"));
  ASSERT_TRUE(drive(loop_, [&] { return server.transport.bind(where).ok(); }));
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == accepted; }));
  ASSERT_TRUE(client.transport.send(peer, text_frames({"after"})).ok());
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == accepted + 1; }));
  EXPECT_EQ(server.text(accepted), "after|");
}

TEST_P(ZmqTransportTest, BytesThatWaitAreBoundedToo) {
  ZmqOptions options = named("client");
  options.queue_bytes = 1 << 20;
  End client(loop_, options);
  std::string where;
  {
    End probe(loop_, named("probe"));
    where = probe.transport.bind(endpoint()).value();
  }
  const PeerId peer = client.transport.connect(where).value();
  const Buffer larger_than_the_queue = random_bytes(2 << 20, 1);
  ASSERT_TRUE(client.transport.send(peer, {larger_than_the_queue}).ok());
  EXPECT_EQ(client.transport.send(peer, {random_bytes(4096, 2)}).error().code, ErrorCode::kBusy);
  End server(loop_, named("server"));
  ASSERT_TRUE(drive(loop_, [&] { return server.transport.bind(where).ok(); }));
  ASSERT_TRUE(drive(loop_, [&] { return client.transport.send(peer, {random_bytes(4096, 2)}).ok(); }));
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == 2; }));
}

TEST_P(ZmqTransportTest, AClosedPeerIsDroppedAndCounted) {
  End server(loop_, named("server")), client(loop_, named("client")), other(loop_, named("other"));
  const std::string where = server.transport.bind(endpoint()).value();
  const PeerId peer = client.transport.connect(where).value();
  ASSERT_TRUE(client.transport.send(peer, text_frames({"hello"})).ok());
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == 1; }));
  server.transport.close(server.peers[0]);
  EXPECT_EQ(server.transport.send(server.peers[0], text_frames({"x"})).error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(client.transport.send(peer, text_frames({"unwanted"})).ok());
  ASSERT_TRUE(drive(loop_, [&] { return server.transport.counters().dropped_closed_peer == 1; }));
  const PeerId welcome = other.transport.connect(where).value();
  ASSERT_TRUE(other.transport.send(welcome, text_frames({"fine"})).ok());
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == 2; }));
  EXPECT_EQ(server.text(1), "fine|");
  client.transport.close(peer);
  EXPECT_EQ(client.transport.send(peer, text_frames({"x"})).error().code, ErrorCode::kUnavailable);
}

TEST_P(ZmqTransportTest, AClosingTransportSaysGoodbyeWithinItsLinger) {
  End server(loop_, named("server"));
  const std::string where = server.transport.bind(endpoint()).value();
  {
    ZmqOptions options = named("client");
    options.linger = std::chrono::seconds(5);
    End client(loop_, options);
    const PeerId peer = client.transport.connect(where).value();
    ASSERT_TRUE(client.transport.send(peer, text_frames({"goodbye"})).ok());
  }
  ASSERT_TRUE(drive(loop_, [&] { return server.messages.size() == 1; }));
  EXPECT_EQ(server.text(0), "goodbye|");
}

TEST_P(ZmqTransportTest, AReconnectingNodeKeepsItsPeerId) {
  End server(loop_, named("server"));
  server.echo = true;
  const std::string where = server.transport.bind(endpoint()).value();
  for (int life = 0; life < 2; ++life) {
    End client(loop_, named("client"));
    const PeerId peer = client.transport.connect(where).value();
    ASSERT_TRUE(client.transport.send(peer, text_frames({"hello"})).ok());
    ASSERT_TRUE(drive(loop_, [&] { return client.messages.size() == 1; }));
  }
  ASSERT_EQ(server.peers.size(), 2U);
  EXPECT_EQ(server.peers[0], server.peers[1]);
  // Now nobody is there: an error at once, not a queue without end.
  ASSERT_TRUE(drive(loop_, [&] { return !server.transport.send(server.peers[0], text_frames({"x"})).ok(); }));
  EXPECT_EQ(server.transport.send(server.peers[0], text_frames({"x"})).error().code, ErrorCode::kUnavailable);
}

TEST(ZmqTransport, TheSilentestInboundPeerIsForgottenBeyondTheLimit) {
  AsioLoop loop;
  ZmqOptions options = named("server");
  options.max_inbound_peers = 2;
  End server(loop, options);
  const std::string where = server.transport.bind("tcp://127.0.0.1:0").value();
  End client(loop, named("client"));
  std::vector<PeerId> ways;
  for (std::size_t i = 0; i < 3; ++i) {
    ways.push_back(client.transport.connect(where).value());
    ASSERT_TRUE(client.transport.send(ways[i], text_frames({"hello"})).ok());
    ASSERT_TRUE(drive(loop, [&] { return server.messages.size() == i + 1; }));
  }
  EXPECT_EQ(server.transport.counters().peers_forgotten, 1U);
  EXPECT_FALSE(server.transport.send(server.peers[0], text_frames({"x"})).ok());
  EXPECT_TRUE(server.transport.send(server.peers[1], text_frames({"x"})).ok());
  EXPECT_TRUE(server.transport.send(server.peers[2], text_frames({"x"})).ok());
  ASSERT_TRUE(client.transport.send(ways[0], text_frames({"I am back"})).ok());
  ASSERT_TRUE(drive(loop, [&] { return server.messages.size() == 4; }));
  EXPECT_NE(server.peers[3], server.peers[0]);
}

TEST(ZmqTransport, APortInUseIsAnErrorThatNamesIt) {
  AsioLoop loop;
  End first(loop, named("a")), second(loop, named("b"));
  const std::string where = first.transport.bind("tcp://127.0.0.1:0").value();
  const auto taken = second.transport.bind(where);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kIo);
  EXPECT_EQ(taken.error().message, "listen on " + where +
                                       ": Address already in use: stop what listens there, or choose "
                                       "another port");
  EXPECT_EQ(second.transport.bind("nonsense").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(second.transport.connect("tcp://127.0.0.1:notaport").error().code, ErrorCode::kInvalid);
}

TEST(ZmqTransport, RefusesToSendWhatNobodyWouldTake) {
  AsioLoop loop;
  ZmqOptions options = named("client");
  options.max_frame_bytes = 1000;
  options.max_frames = 3;
  End client(loop, options);
  const PeerId peer = client.transport.connect("tcp://127.0.0.1:1").value();
  EXPECT_EQ(client.transport.send(peer, {}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(client.transport.send(peer, Frames(4)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(client.transport.send(peer, {random_bytes(1001, 1)}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(client.transport.send(99, text_frames({"x"})).error().code, ErrorCode::kUnavailable);
}

TEST(ZmqTransport, ListensOnAHostNameAndKeepsIt) {
  AsioLoop loop;
  End server(loop, named("server")), client(loop, named("client"));
  const auto where = server.transport.bind("tcp://localhost:0");
  ASSERT_TRUE(where.ok()) << where.error().message;
  EXPECT_TRUE(where->starts_with("tcp://localhost:")) << *where;
  EXPECT_NE(*where, "tcp://localhost:0");
  const PeerId peer = client.transport.connect(*where).value();
  ASSERT_TRUE(client.transport.send(peer, text_frames({"hello"})).ok());
  EXPECT_TRUE(drive(loop, [&] { return server.messages.size() == 1; }));
  const auto nowhere = server.transport.bind("tcp://no-such-host.invalid:0");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kInvalid);
}

TEST(ZmqTransport, TooManyFramesAreDroppedAndCountedAndTheConnectionLives) {
  AsioLoop loop;
  ZmqOptions strict = named("server");
  strict.max_frames = 4;
  End server(loop, strict), client(loop, named("client"));
  const std::string where = server.transport.bind("tcp://127.0.0.1:0").value();
  const PeerId peer = client.transport.connect(where).value();
  ASSERT_TRUE(client.transport.send(peer, Frames(5, Buffer::copy_of("x"))).ok());
  ASSERT_TRUE(client.transport.send(peer, Frames(4, Buffer::copy_of("x"))).ok());
  ASSERT_TRUE(drive(loop, [&] { return server.messages.size() == 1; }));
  EXPECT_EQ(server.messages[0].size(), 4U);
  EXPECT_EQ(server.transport.counters().dropped_too_many_frames, 1U);
}

}  // namespace
}  // namespace capstan
