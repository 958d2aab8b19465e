// Who may talk to whom: real sockets, real keys, and peers that should not get through.
#include "common/adapters/wire_security.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "common/adapters/zmq_transport.h"
#include "common/endpoint_check.h"
#include "common/rpc.h"
#include "tests/common/adapters/drive.h"
#include "tests/common/adapters/tcp_tape.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class WireSecurityTest : public ::testing::Test {
 protected:
  // One end, and what it was told and has received.
  struct End {
    std::vector<std::string> told, texts;
    std::vector<PeerId> from;
    std::unique_ptr<ZmqTransport> wire;
  };

  WireSecurityTest() { EXPECT_TRUE(add_key_for_each_role(folder_).ok()); }
  ~WireSecurityTest() override { fs::remove_all(folder_); }

  std::unique_ptr<End> end(Role role, const std::string& name, bool with_keys = true) {
    auto made = std::make_unique<End>();
    ZmqOptions options;
    options.node = name;
    options.reconnect_max = std::chrono::milliseconds(100);
    options.security.tell = [end = made.get()](const std::string& text) { end->told.push_back(text); };
    if (with_keys)
      options.security.keys = std::make_shared<KeyRing>(KeyRing::open(folder_, role, name).value());
    made->wire = std::make_unique<ZmqTransport>(loop_, options);
    made->wire->on_message([end = made.get()](PeerId from, const Frames& frames) {
      end->from.push_back(from);
      end->texts.emplace_back(frames[0].text());
    });
    return made;
  }
  std::unique_ptr<End> listener(Role role = Role::kScheduler, const std::string& at = "tcp://127.0.0.1:0") {
    auto made = end(role, std::string(to_string(role)));
    where_ = made->wire->bind(at).value();
    return made;
  }
  static void say(End& end, PeerId to, const std::string& text) {
    ASSERT_TRUE(end.wire->send(to, {Buffer::copy_of(std::string_view(text))}).ok());
  }
  // An unlisted pair in a file of that name.
  void forge(const std::string& name) {
    const CurvePair pair = new_curve_pair();
    const fs::path file = folder_ / (name + kSecretSuffix);
    std::ofstream(file) << "public " << to_hex(pair.public_key) << "\nsecret " << to_hex(pair.secret_key)
                        << "\n";
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  }

  AsioLoop loop_;
  std::string where_;
  const fs::path folder_ =
      fs::temp_directory_path() / ("wire_security_" + std::to_string(getpid()) + "_" +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(WireSecurityTest, ListedKeysTalkAndTheirRolesAreKnown) {
  const auto scheduler = listener();
  EXPECT_EQ(key_part(where_),
            to_hex(KeyRing::open(folder_, Role::kScheduler, "scheduler")->own().public_key));
  const auto worker = end(Role::kWorker, "worker-3");
  say(*worker, worker->wire->connect(where_).value(), "hello");
  say(*worker, worker->wire->connect(without_key(where_)).value(), "found by the list");
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->texts.size() == 2; }));
  EXPECT_TRUE(scheduler->wire->may_act_as(scheduler->from[0], "worker"));
  EXPECT_FALSE(scheduler->wire->may_act_as(scheduler->from[0], "server"));
  EXPECT_FALSE(scheduler->wire->may_act_as(scheduler->from[0], "work"));
  EXPECT_FALSE(scheduler->wire->may_act_as(12345, "worker"));
  EXPECT_EQ(scheduler->told.size(), 1U) << "not once for each";
  say(*scheduler, scheduler->from[0], "welcome");
  ASSERT_TRUE(drive(loop_, [&] { return worker->texts.size() == 1; }));
  EXPECT_TRUE(worker->told.empty());
}

TEST_F(WireSecurityTest, AnUnlistedKeyIsRefusedCountedAndToldOnce) {
  const auto scheduler = listener();
  forge("stranger");
  const auto stranger = end(Role::kWorker, "stranger");
  say(*stranger, stranger->wire->connect(where_).value(), "let me in");
  say(*stranger, stranger->wire->connect(where_).value(), "or me");
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->wire->counters().security.keys_refused >= 2; }));
  EXPECT_TRUE(scheduler->texts.empty());
  ASSERT_EQ(scheduler->told.size(), 1U) << "not once for each";
  EXPECT_THAT(scheduler->told[0], HasSubstr("a peer at 127.0.0.1 was refused: its key "));
  ASSERT_TRUE(drive(loop_, [&] { return !stranger->told.empty(); }));
  EXPECT_THAT(stranger->told[0], HasSubstr("does not allow our key"));
}

TEST_F(WireSecurityTest, AKeyThatIsListedLaterIsLetIn) {
  const auto scheduler = listener();
  forge("late");
  const auto late = end(Role::kWorker, "late");
  const PeerId peer = late->wire->connect(where_).value();
  say(*late, peer, "one");
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->wire->counters().security.keys_refused >= 1; }));
  const std::string key = to_hex(KeyRing::open(folder_, Role::kWorker, "late")->own().public_key);
  std::ofstream(folder_ / kAllowedFile, std::ios::app) << "worker " << key << " late\n";
  fs::last_write_time(folder_ / kAllowedFile, fs::file_time_type::clock::now() + std::chrono::seconds(1));
  EXPECT_TRUE(drive(loop_, [&] {
    static_cast<void>(late->wire->send(peer, {Buffer::copy_of("again")}).ok());
    return !scheduler->texts.empty();
  }));
}

TEST_F(WireSecurityTest, APlainPeerGetsNothingThroughAndIsToldWhy) {
  const auto scheduler = listener();
  const auto plain = end(Role::kWorker, "worker", false);
  EXPECT_THAT(plain->wire->connect(where_).error().message, HasSubstr("it asks for keys: give --keys"));
  say(*plain, plain->wire->connect(without_key(where_)).value(), "hello");
  ASSERT_TRUE(drive(loop_, [&] { return !plain->told.empty() && !scheduler->told.empty(); }));
  EXPECT_THAT(plain->told[0], HasSubstr("it asks for keys (--keys)"));
  EXPECT_GE(scheduler->wire->counters().security.handshakes_failed, 1U);
  EXPECT_TRUE(scheduler->texts.empty());
}

TEST_F(WireSecurityTest, AListenerWithoutKeysTakesNoneThatHasSome) {
  const auto plain = end(Role::kScheduler, "scheduler", false);
  where_ = plain->wire->bind("tcp://127.0.0.1:0").value();
  EXPECT_EQ(key_part(where_), "");
  const auto worker = end(Role::kWorker, "worker");
  say(*worker, worker->wire->connect(where_).value(), "secret");
  ASSERT_TRUE(drive(loop_, [&] { return !plain->told.empty() && !worker->told.empty(); }));
  EXPECT_THAT(plain->told[0], HasSubstr("the peer has keys and we have none"));
  EXPECT_TRUE(plain->texts.empty());
}

TEST_F(WireSecurityTest, AWrongServerKeyMeetsNobody) {
  const auto scheduler = listener();
  const auto worker = end(Role::kWorker, "worker");
  const std::string wrong = with_key(where_, to_hex(new_curve_pair().public_key));
  say(*worker, worker->wire->connect(wrong).value(), "to somebody else");
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->wire->counters().security.handshakes_failed >= 1; }));
  ASSERT_TRUE(drive(loop_, [&] { return !worker->told.empty(); }));
  EXPECT_TRUE(scheduler->texts.empty());
}

TEST_F(WireSecurityTest, AWorkersKeyCannotGreetAsAServer) {
  const auto scheduler = listener();
  const auto worker = end(Role::kWorker, "worker");
  Rpc inner(loop_, *scheduler->wire), outer(loop_, *worker->wire);
  int greeted = 0;
  inner.on_request([&](PeerId, std::uint64_t, const Message&) { ++greeted; });
  Hello hello;
  hello.name = "ps-0";
  hello.role = Role::kServer;
  std::optional<Error> refused;
  outer.call(worker->wire->connect(where_).value(), hello, std::chrono::seconds(5),
             [&](const Result<Message>& reply) { refused = reply.error(); });
  ASSERT_TRUE(drive(loop_, [&] { return refused.has_value(); }));
  EXPECT_EQ(refused->code, ErrorCode::kRefused);
  EXPECT_THAT(refused->message, HasSubstr("the key of ps-0 is not one of a server"));
  ASSERT_EQ(scheduler->told.size(), 1U);
  EXPECT_THAT(scheduler->told[0], HasSubstr("greets as a server, but its key is that of worker worker"));
  EXPECT_EQ(greeted, 0);
  hello.role = Role::kWorker;
  outer.call(worker->wire->connect(where_).value(), hello, std::chrono::seconds(5),
             [](const Result<Message>&) {});
  EXPECT_TRUE(drive(loop_, [&] { return greeted == 1; }));
}

TEST_F(WireSecurityTest, ARepeatedGreetingGetsNothingThrough) {
  const auto scheduler = listener();
  TcpTape tape(without_key(where_));
  const auto worker = end(Role::kWorker, "worker");
  const std::string through = with_key(tape.endpoint(), key_part(where_));
  say(*worker, worker->wire->connect(through).value(), "pay 100");
  ASSERT_TRUE(drive(loop_, [&] { return tape.pump(), scheduler->texts.size() == 1; }));
  const auto failed = scheduler->wire->counters().security.handshakes_failed;
  tape.play_again();
  ASSERT_TRUE(drive(
      loop_, [&] { return tape.pump(), scheduler->wire->counters().security.handshakes_failed > failed; }));
  EXPECT_EQ(scheduler->texts.size(), 1U);
  EXPECT_THAT(scheduler->told, ElementsAre(HasSubstr("a greeting at")));
}

TEST_F(WireSecurityTest, ARotatedSchedulerIsFoundUnderItsNewKey) {
  auto scheduler = listener();
  const std::string at = without_key(where_);
  const auto worker = end(Role::kWorker, "worker");
  const PeerId peer = worker->wire->connect(at).value();
  say(*worker, peer, "before");
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->texts.size() == 1; }));
  ASSERT_TRUE(add_key(folder_, Role::kScheduler, "next").ok());
  fs::last_write_time(folder_ / kAllowedFile, fs::file_time_type::clock::now() + std::chrono::seconds(1));
  scheduler.reset();
  const auto next = end(Role::kScheduler, "next");
  ASSERT_TRUE(drive(loop_, [&] { return next->wire->bind(at).ok(); }));
  EXPECT_TRUE(drive(loop_, [&] {
    static_cast<void>(worker->wire->send(peer, {Buffer::copy_of("after")}).ok());
    return !next->texts.empty();
  }));
}

TEST_F(WireSecurityTest, AnotherKeyUnderATakenRoutingIdIsDropped) {
  const auto scheduler = listener();
  ZmqOptions options;
  options.node = "node";
  options.incarnation = 1;
  options.security.keys = std::make_shared<KeyRing>(KeyRing::open(folder_, Role::kServer, "server").value());
  auto server = std::make_unique<ZmqTransport>(loop_, options);
  ASSERT_TRUE(server->send(server->connect(where_).value(), {Buffer::copy_of("mine")}).ok());
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->texts.size() == 1; }));
  options.security.keys = std::make_shared<KeyRing>(KeyRing::open(folder_, Role::kWorker, "worker").value());
  ZmqTransport thief(loop_, options);
  ASSERT_TRUE(thief.send(thief.connect(where_).value(), {Buffer::copy_of("mine too")}).ok());
  ASSERT_TRUE(drive(loop_, [&] { return scheduler->wire->counters().security.impostors_dropped == 1; }));
  EXPECT_EQ(scheduler->texts.size(), 1U);
}

TEST_F(WireSecurityTest, WithoutKeysOnlyThisHostIsListenedAt) {
  const auto plain = end(Role::kServer, "server", false);
  for (const char* at : {"tcp://0.0.0.0:0", "tcp://*:0", "tcp://192.0.2.1:0"}) {
    const auto bound = plain->wire->bind(at);
    ASSERT_FALSE(bound.ok()) << at;
    EXPECT_THAT(bound.error().message, HasSubstr("capstan keys new"));
    EXPECT_THAT(bound.error().message, HasSubstr("--insecure"));
  }
  ZmqOptions options;
  options.security.insecure = true;
  ZmqTransport trusting(loop_, options);
  EXPECT_TRUE(trusting.bind("tcp://0.0.0.0:0").ok());
  const auto keyed = end(Role::kServer, "server");
  EXPECT_TRUE(keyed->wire->bind("tcp://0.0.0.0:0").ok());
}

}  // namespace
}  // namespace capstan
