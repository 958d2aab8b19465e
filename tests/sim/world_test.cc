#include "sim/world.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/sim/chatter.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SimOptions unkind() {
  SimOptions options;
  options.network.slow = 0.02;
  options.network.loss = 0.01;
  options.network.duplicate = 0.01;
  options.network.reorder = 0.05;
  options.network.busy = 0.01;
  options.network.disconnect = 0.001;
  options.drift_ppm_max = 20'000;
  return options;
}

struct History {
  std::uint64_t hash = 0, events = 0;
  std::vector<std::uint64_t> at_server;
};

// Four clients and a server under every kind of fault for ten virtual seconds.
History eventful_history(std::uint64_t seed) {
  Seen seen;
  SimWorld world(seed, unkind());
  SimNode& server = world.add_node("server");
  world.start(server, echo_server(seen));
  for (std::uint64_t i = 0; i < 4; ++i) {
    world.start(world.add_node("client-" + std::to_string(i)), counter(seen, i * 1'000'000));
  }
  for (int i = 0; i < 20; ++i) {
    world.run_for(milliseconds(500));
    SimNode& victim = *world.nodes()[world.rng().below(world.nodes().size())];
    SimNode& other = *world.nodes()[world.rng().below(world.nodes().size())];
    switch (world.rng().below(4)) {
      case 0:
        world.crash(victim, world.rng().chance(0.5) ? SimWorld::Crash::kPower : SimWorld::Crash::kProcess);
        world.restart(victim);
        break;
      case 1:
        world.pause(victim, milliseconds(300));
        break;
      case 2:
        world.partition(victim, other);
        break;
      default:
        world.heal();
    }
  }
  return {world.trace_hash(), world.events(), seen.at_server};
}

TEST(SimWorld, TheSameSeedReplaysExactlyAndAnotherDoesNot) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const History first = eventful_history(seed), second = eventful_history(seed);
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.events, second.events) << "seed " << seed;
    EXPECT_EQ(first.at_server, second.at_server) << "seed " << seed;
    EXPECT_GT(first.at_server.size(), 1000U) << "seed " << seed;
    hashes.insert(first.hash);
  }
  EXPECT_EQ(hashes.size(), 10U);
}

TEST(SimWorld, TheHashSeesOneChangedByte) {
  const auto hash_of = [](std::uint64_t value) {
    Seen seen;
    SimWorld world(1, SimOptions{});
    world.start(world.add_node("server"), echo_server(seen));
    SimNode& client = world.add_node("client");
    const PeerId peer = client.transport().connect(kServerEndpoint).value();
    EXPECT_TRUE(client.transport().send(peer, {number(value)}).ok());
    world.run_for(seconds(1));
    EXPECT_EQ(seen.at_server.size(), 1U);
    return world.trace_hash();
  };
  EXPECT_EQ(hash_of(5), hash_of(5));
  EXPECT_NE(hash_of(5), hash_of(6));
}

TEST(SimWorld, ACrashedNodesTimersAndTasksNeverRun) {
  SimWorld world(3, SimOptions{});
  SimNode& node = world.add_node("a");
  int ran = 0;
  node.loop().call_after(milliseconds(1), [&] { ++ran; });
  node.loop().post([&] { ++ran; });
  node.tasks().run(
      0, [&] { ++ran; }, [&] { ++ran; });
  world.crash(node, SimWorld::Crash::kProcess);
  // A dead node's destructors may still call; nothing comes of it.
  EXPECT_EQ(node.loop().call_after(milliseconds(1), [&] { ++ran; }), 0U);
  node.tasks().run(
      0, [&] { ++ran; }, [&] { ++ran; });
  EXPECT_FALSE(node.transport().bind("sim://a:1").ok());
  EXPECT_FALSE(node.storage().create("x").ok());
  world.restart(node);
  world.run_for(seconds(1));
  EXPECT_EQ(ran, 0);
  node.loop().post([&] { ++ran; });
  world.run_for(seconds(1));
  EXPECT_EQ(ran, 1);
}

TEST(SimWorld, AProgramIsDestroyedByTheCrashAndMadeAgain) {
  struct Process {
    explicit Process(int& the_alive) : alive(the_alive) { ++alive; }
    ~Process() { --alive; }
    int& alive;
  };
  int alive = 0, lives = 0;  // the world's end ends the last process too
  SimWorld world(1, SimOptions{});
  SimNode& node = world.add_node("a");
  world.start(node, [&](SimNode& self) {
    ++lives;
    auto process = std::make_shared<Process>(alive);
    // It crashes in the middle of its own event and must not be destroyed under its feet.
    self.loop().call_after(milliseconds(10), [&world, &self, raw = process.get()] {
      world.crash(self, SimWorld::Crash::kProcess);
      EXPECT_EQ(raw->alive, 1);
    });
    return process;
  });
  EXPECT_EQ(alive, 1);
  world.run_for(milliseconds(20));
  EXPECT_FALSE(world.up(node));
  EXPECT_EQ(alive, 0);
  world.restart(node);
  EXPECT_EQ(lives, 2);
  EXPECT_EQ(alive, 1);
}

TEST(SimWorld, APausedNodesEventsRunLateAndInOrderWhileTimeGoesOn) {
  SimOptions options;
  options.timer_late_max = Duration(0);
  SimWorld world(1, options);
  SimNode& node = world.add_node("a");
  std::vector<int> order;
  std::vector<Duration> at;
  const Instant start = node.loop().now();
  for (const int ms : {30, 10, 20, 60}) {
    node.loop().call_after(milliseconds(ms), [&, ms] {
      order.push_back(ms);
      at.push_back(node.loop().now() - start);
    });
  }
  const TimerId cancelled = node.loop().call_after(milliseconds(15), [&] { order.push_back(15); });
  world.pause(node, milliseconds(50));
  world.call_after(milliseconds(25), [&] { node.loop().cancel(cancelled); });
  world.run_for(milliseconds(49));
  EXPECT_TRUE(order.empty());
  world.run_for(milliseconds(51));
  EXPECT_EQ(order, (std::vector<int>{10, 20, 30, 60}));
  EXPECT_EQ(at,
            (std::vector<Duration>{milliseconds(50), milliseconds(50), milliseconds(50), milliseconds(60)}));
}

TEST(SimWorld, ClocksDriftApartAndTimersAreNeverEarly) {
  SimOptions options;
  options.drift_ppm_max = 50'000;
  SimWorld world(5, options);
  std::set<std::int64_t> drifts;
  int early = 0, fired = 0;
  for (int i = 0; i < 20; ++i) {
    SimNode& node = world.add_node(std::string(1, static_cast<char>('a' + i)));
    drifts.insert(node.drift_ppm());
    EXPECT_LE(std::abs(node.drift_ppm()), 50'000);
    for (int delay = 0; delay < 2000; delay += 7) {
      const Instant due = node.loop().now() + milliseconds(delay);
      node.loop().call_after(milliseconds(delay), [&, due] {
        ++fired;
        early += node.loop().now() < due ? 1 : 0;
      });
    }
  }
  SimNode& any = *world.nodes()[0];
  const Instant before = any.loop().now();
  world.run_for(seconds(100));
  EXPECT_EQ(early, 0);
  EXPECT_EQ(fired, 20 * 286);
  EXPECT_GT(drifts.size(), 10U);
  EXPECT_EQ(any.loop().now() - before, seconds(100) + Duration(100 * any.drift_ppm()));
}

TEST(SimWorld, RunUntilStopsAtTheEventThatMakesItTrue) {
  SimWorld world(1, SimOptions{});
  int count = 0;
  for (int i = 1; i <= 10; ++i) world.call_after(milliseconds(i), [&] { ++count; });
  EXPECT_TRUE(world.run_until([&] { return count == 4; }, seconds(1)));
  EXPECT_EQ(world.elapsed(), milliseconds(4));
  EXPECT_FALSE(world.run_until([&] { return count == 11; }, seconds(1)));
  EXPECT_EQ(world.elapsed(), milliseconds(1004));
}

TEST(SimWorld, AThousandNodesAreLight) {
  Seen seen;
  SimWorld world(1, SimOptions{});
  world.start(world.add_node("server"), echo_server(seen));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    world.start(world.add_node("client-" + std::to_string(i)), counter(seen, 0));
  }
  world.run_for(milliseconds(200));
  EXPECT_GT(seen.at_client.size(), 150'000U);
}

}  // namespace
}  // namespace capstan
