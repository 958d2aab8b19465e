#include <gtest/gtest.h>

#include "sim/world.h"
#include "tests/sim/chatter.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One client, one server that keeps what it hears and says nothing unless told.
class SimNetworkTest : public ::testing::Test {
 protected:
  void make(std::uint64_t seed, const SimOptions& options) {
    world_ = std::make_unique<SimWorld>(seed, options);
    server_ = &world_->add_node("server");
    client_ = &world_->add_node("client");
    listen();
    at_server_.clear();
    at_client_.clear();
    peer_ = client_->transport().connect(kServerEndpoint).value();
    client_->transport().on_message([this](PeerId, Frames frames) { at_client_.push_back(number(frames)); });
  }
  void listen() {
    ASSERT_TRUE(server_->transport().bind(kServerEndpoint).ok());
    server_->transport().on_message([this](PeerId from, Frames frames) {
      from_ = from;
      at_server_.push_back(number(frames));
    });
  }
  Status send(std::uint64_t value) { return client_->transport().send(peer_, {number(value)}); }
  void establish() {
    ASSERT_TRUE(send(0).ok());
    ASSERT_TRUE(world_->run_until([&] { return at_server_.size() == 1; }, seconds(5)));
    at_server_.clear();
  }
  static std::vector<std::uint64_t> up_to(std::uint64_t count) {
    std::vector<std::uint64_t> values(count);
    for (std::uint64_t i = 0; i < count; ++i) values[i] = i;
    return values;
  }

  std::unique_ptr<SimWorld> world_;
  SimNode *server_ = nullptr, *client_ = nullptr;
  PeerId peer_ = 0, from_ = 0;
  std::vector<std::uint64_t> at_server_, at_client_;
};

TEST_F(SimNetworkTest, WithoutFaultsEverythingArrivesOnceInOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    make(seed, SimOptions{});
    for (std::uint64_t i = 0; i < 500; ++i) ASSERT_TRUE(send(i).ok());
    world_->run_for(seconds(5));
    EXPECT_EQ(at_server_, up_to(500)) << "seed " << seed;
  }
}

TEST_F(SimNetworkTest, EachFaultDoesWhatItSaysAndNothingElse) {
  const auto received = [this](double NetworkOptions::*fault) {
    SimOptions options;
    options.network.*fault = 0.2;
    make(1, options);
    establish();
    for (std::uint64_t i = 0; i < 500; ++i) static_cast<void>(send(i));
    world_->run_for(seconds(5));
    return at_server_;
  };
  const auto lossy = received(&NetworkOptions::loss);
  EXPECT_TRUE(std::is_sorted(lossy.begin(), lossy.end()));
  EXPECT_NEAR(static_cast<double>(lossy.size()), 400, 40);
  EXPECT_EQ(std::adjacent_find(lossy.begin(), lossy.end()), lossy.end());

  const auto doubled = received(&NetworkOptions::duplicate);
  EXPECT_NEAR(static_cast<double>(doubled.size()), 600, 40);
  EXPECT_EQ(std::set(doubled.begin(), doubled.end()).size(), 500U);

  auto disordered = received(&NetworkOptions::reorder);
  EXPECT_FALSE(std::is_sorted(disordered.begin(), disordered.end()));
  std::sort(disordered.begin(), disordered.end());
  EXPECT_EQ(disordered, up_to(500));

  const auto fewer = received(&NetworkOptions::busy);
  EXPECT_TRUE(std::is_sorted(fewer.begin(), fewer.end()));
  EXPECT_EQ(world_->network().counters().busy, 500 - fewer.size());
  EXPECT_GT(world_->network().counters().busy, 50U);
}

TEST_F(SimNetworkTest, SwitchedOffNoFaultHappens) {
  SimOptions options;
  options.network.loss = options.network.duplicate = options.network.reorder = options.network.busy = 0.5;
  options.network.disconnect = 0.5;
  make(1, options);
  world_->set_faults(false);
  for (std::uint64_t i = 0; i < 500; ++i) ASSERT_TRUE(send(i).ok());
  world_->run_for(seconds(5));
  EXPECT_EQ(at_server_, up_to(500));
}

TEST_F(SimNetworkTest, ABrokenConnectionLosesALastPartAndComesBackUnderTheSamePeer) {
  bool lost_some = false;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SimOptions options;
    options.network.disconnect = 0.02;
    make(seed, options);
    establish();
    const PeerId before = from_;
    for (std::uint64_t i = 0; i < 300; ++i) ASSERT_TRUE(send(i).ok());
    world_->run_for(seconds(30));
    EXPECT_TRUE(std::is_sorted(at_server_.begin(), at_server_.end())) << "seed " << seed;
    EXPECT_EQ(std::adjacent_find(at_server_.begin(), at_server_.end()), at_server_.end()) << "seed " << seed;
    EXPECT_EQ(from_, before);
    lost_some |= at_server_.size() < 300;
  }
  EXPECT_TRUE(lost_some);
}

TEST_F(SimNetworkTest, TheClientQueuesForAServerThatIsNotThereUpToItsBound) {
  SimOptions options;
  options.network.queue_messages = 10;
  SimWorld world(1, options);
  SimNode& client = world.add_node("client");
  SimNode& server = world.add_node("server");
  const PeerId peer = client.transport().connect(kServerEndpoint).value();
  std::uint64_t accepted = 0;
  Status status = ok_status();
  while ((status = client.transport().send(peer, {number(accepted)})).ok()) ++accepted;
  EXPECT_EQ(accepted, 10U);
  EXPECT_EQ(status.error().code, ErrorCode::kBusy);
  world.run_for(seconds(20));
  Seen seen;
  world.start(server, echo_server(seen));
  world.run_for(seconds(5));
  EXPECT_EQ(seen.at_server, up_to(10));
}

TEST_F(SimNetworkTest, TheServerCannotReachAClientThatIsGone) {
  make(1, SimOptions{});
  establish();
  ASSERT_TRUE(server_->transport().send(from_, {number(7)}).ok());
  world_->run_for(seconds(1));
  EXPECT_EQ(at_client_, (std::vector<std::uint64_t>{7}));
  world_->crash(*client_, SimWorld::Crash::kProcess);
  EXPECT_EQ(server_->transport().send(from_, {number(8)}).error().code, ErrorCode::kUnavailable);
}

TEST_F(SimNetworkTest, ARestartedServerIsFoundAgainAndGivesANewPeer) {
  make(1, SimOptions{});
  establish();
  const PeerId before = from_;
  world_->crash(*server_, SimWorld::Crash::kProcess);
  ASSERT_TRUE(send(1).ok());
  world_->run_for(seconds(10));
  EXPECT_TRUE(at_server_.empty());
  world_->restart(*server_);
  listen();
  world_->run_for(seconds(5));
  EXPECT_EQ(at_server_, (std::vector<std::uint64_t>{1}));
  EXPECT_NE(from_, before);
}

TEST_F(SimNetworkTest, OfACrashedSendersMessagesSomeFirstPartArrives) {
  std::set<std::size_t> arrived;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    make(seed, SimOptions{});
    establish();
    for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(send(i).ok());
    world_->crash(*client_, SimWorld::Crash::kProcess);
    world_->run_for(seconds(5));
    EXPECT_EQ(at_server_, up_to(at_server_.size())) << "seed " << seed;
    arrived.insert(at_server_.size());
  }
  EXPECT_TRUE(arrived.contains(0));
  EXPECT_TRUE(arrived.contains(10));
  EXPECT_GT(arrived.size(), 5U);
}

TEST_F(SimNetworkTest, APartitionDelaysOrLosesAndNothingPassesMeanwhile) {
  bool delayed = false, lost = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    make(seed, SimOptions{});
    establish();
    world_->partition(*client_, *server_);
    for (std::uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(send(i).ok());
    world_->run_for(seconds(10));
    EXPECT_TRUE(at_server_.empty());
    world_->heal();
    world_->run_for(seconds(10));
    delayed |= at_server_ == up_to(5);
    lost |= at_server_.size() < 5;
    EXPECT_TRUE(std::is_sorted(at_server_.begin(), at_server_.end()));
    const std::size_t before = at_server_.size();
    ASSERT_TRUE(send(9).ok());
    world_->run_for(seconds(10));
    EXPECT_EQ(at_server_.size(), before + 1) << "seed " << seed;
  }
  EXPECT_TRUE(delayed);
  EXPECT_TRUE(lost);
}

TEST_F(SimNetworkTest, AOneWayPartitionLetsTheOtherWayPass) {
  make(4, SimOptions{});
  establish();
  world_->partition_one_way(*client_, *server_);
  ASSERT_TRUE(server_->transport().send(from_, {number(3)}).ok());
  world_->run_for(seconds(1));
  EXPECT_EQ(at_client_, (std::vector<std::uint64_t>{3}));
  ASSERT_TRUE(send(1).ok());
  world_->run_for(seconds(1));
  EXPECT_TRUE(at_server_.empty());
}

TEST_F(SimNetworkTest, AStoppedReceiverFillsItsQueueAndThenHearsAll) {
  SimOptions options;
  options.network.queue_messages = 20;
  make(1, options);
  establish();
  world_->pause(*server_, seconds(5));
  std::uint64_t accepted = 0;
  while (send(accepted).ok()) ++accepted;
  EXPECT_EQ(accepted, 20U);
  world_->run_for(seconds(4));
  EXPECT_TRUE(at_server_.empty());
  world_->run_for(seconds(2));
  EXPECT_EQ(at_server_, up_to(20));
  EXPECT_TRUE(send(20).ok());
}

TEST_F(SimNetworkTest, ClosingEndsAConversation) {
  make(1, SimOptions{});
  establish();
  server_->transport().close(from_);
  ASSERT_TRUE(send(1).ok());
  world_->run_for(seconds(1));
  EXPECT_TRUE(at_server_.empty());
  EXPECT_EQ(world_->network().counters().dropped_closed_peer, 1U);
  EXPECT_EQ(server_->transport().send(from_, {number(1)}).error().code, ErrorCode::kUnavailable);
  client_->transport().close(peer_);
  EXPECT_EQ(send(2).error().code, ErrorCode::kUnavailable);
}

TEST_F(SimNetworkTest, AddressesAreTakenOnceAndPortsPicked) {
  make(1, SimOptions{});
  const auto taken = client_->transport().bind(kServerEndpoint);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kIo);
  const std::string a = client_->transport().bind("tcp://127.0.0.1:0").value();
  const std::string b = server_->transport().bind("tcp://127.0.0.1:0").value();
  EXPECT_NE(a, b);
  EXPECT_EQ(client_->transport().connect("nonsense").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(client_->transport().send(peer_, {}).error().code, ErrorCode::kInvalid);
}

TEST_F(SimNetworkTest, ReceivedFramesAreAlignedCopies) {
  make(1, SimOptions{});
  std::vector<Frames> got;
  server_->transport().on_message([&](PeerId, Frames frames) { got.push_back(std::move(frames)); });
  for (int i = 0; i < 50; ++i) {
    Frames frames{Buffer::copy_of("head"), Buffer::allocate(0), Buffer::copy_of("some keys")};
    ASSERT_TRUE(client_->transport().send(peer_, frames).ok());
    std::memset(frames[2].mutable_data(), 'x', frames[2].size());  // too late to be seen
  }
  world_->run_for(seconds(1));
  ASSERT_EQ(got.size(), 50U);
  int aligned_to_64 = 0;
  for (const auto& frames : got) {
    EXPECT_EQ(frames[2].text(), "some keys");
    EXPECT_TRUE(frames[1].empty());
    const auto address = reinterpret_cast<std::uintptr_t>(frames[2].data());
    EXPECT_EQ(address % 8, 0U);
    aligned_to_64 += address % 64 == 0;
  }
  EXPECT_LT(aligned_to_64, 40);
}

TEST_F(SimNetworkTest, DelaysStayWithinWhatWasSet) {
  make(1, SimOptions{});
  world_->network().set_delay(client_->index(), server_->index(), milliseconds(100), milliseconds(101));
  establish();
  const Duration before = world_->elapsed();
  ASSERT_TRUE(send(1).ok());
  ASSERT_TRUE(world_->run_until([&] { return !at_server_.empty(); }, seconds(1)));
  EXPECT_GE(world_->elapsed() - before, milliseconds(100));
  EXPECT_LE(world_->elapsed() - before, milliseconds(101));
}

}  // namespace
}  // namespace capstan
