#include "scheduler/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace capstan {
namespace {

using Outcome = Greeting::Outcome;
using std::chrono::milliseconds;

constexpr Instant kStart{Duration(1000000)};

Hello hello(Role role, std::string name, std::uint64_t incarnation) {
  Hello hello;
  hello.role = role;
  hello.name = std::move(name);
  hello.incarnation = incarnation;
  return hello;
}

Heartbeat beat(NodeId id, std::uint64_t incarnation) {
  Heartbeat heartbeat;
  heartbeat.node_id = id;
  heartbeat.incarnation = incarnation;
  return heartbeat;
}

TEST(Membership, KeepsTheIdOfANameAndNamesTheNameless) {
  Membership nodes(milliseconds(100));
  const auto first = nodes.greet(hello(Role::kServer, "ps-0", 1), 11, kStart);
  EXPECT_EQ(first.outcome, Outcome::kNew);
  const auto again = nodes.greet(hello(Role::kServer, "ps-0", 1), 12, kStart);
  EXPECT_EQ(again.outcome, Outcome::kAgain);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(nodes.find(first.id)->peer, 12U);

  const auto nameless = nodes.greet(hello(Role::kServer, "", 5), 13, kStart);
  EXPECT_EQ(nodes.find(nameless.id)->name, "ps-1");
  EXPECT_EQ(nodes.greet(hello(Role::kServer, "", 5), 13, kStart).id, nameless.id) << "a repeated greeting";
  EXPECT_EQ(nodes.find(nodes.greet(hello(Role::kWorker, "", 5), 14, kStart).id)->name, "worker-0");
  EXPECT_EQ(nodes.count_alive(Role::kServer), 2U);
  EXPECT_EQ(nodes.count_alive(Role::kWorker), 1U);
}

TEST(Membership, ANameThatIsNoneIsRefused) {
  Membership nodes(milliseconds(100));
  const auto greeting = nodes.greet(hello(Role::kServer, "../evil", 1), 11, kStart);
  EXPECT_EQ(greeting.outcome, Outcome::kRefused);
  EXPECT_THAT(greeting.text, testing::HasSubstr("not '../evil'"));
  EXPECT_EQ(nodes.count_alive(Role::kServer), 0U);
}

TEST(Membership, AnotherProcessTakesANameOnlyWhenItsLeaseHasEnded) {
  Membership nodes(milliseconds(100));
  const NodeId id = nodes.greet(hello(Role::kWorker, "w", 1), 11, kStart).id;
  EXPECT_EQ(nodes.greet(hello(Role::kWorker, "w", 2), 12, kStart + milliseconds(99)).outcome,
            Outcome::kRefused);
  EXPECT_EQ(nodes.expire(kStart + milliseconds(100)), std::vector<NodeId>{id});
  const auto replaced = nodes.greet(hello(Role::kWorker, "w", 2), 12, kStart + milliseconds(101));
  EXPECT_EQ(replaced.outcome, Outcome::kReplaced);
  EXPECT_EQ(replaced.id, id);
  // The first process wakes up: it has lost its name for good, even when the second dies too.
  EXPECT_FALSE(nodes.heartbeat(beat(id, 1), kStart + milliseconds(102)));
  nodes.expire(kStart + milliseconds(300));
  EXPECT_EQ(nodes.greet(hello(Role::kWorker, "w", 1), 11, kStart + milliseconds(301)).outcome,
            Outcome::kRefused);
  EXPECT_EQ(nodes.greet(hello(Role::kServer, "w", 3), 11, kStart + milliseconds(301)).text,
            "w is a worker, not a server");
}

TEST(Membership, HeartbeatsRenewLeasesAndALapsedOneMustGreetAgain) {
  Membership nodes(milliseconds(100));
  const NodeId a = nodes.greet(hello(Role::kServer, "a", 1), 11, kStart).id;
  const NodeId b = nodes.greet(hello(Role::kServer, "b", 1), 12, kStart).id;
  EXPECT_TRUE(nodes.heartbeat(beat(a, 1), kStart + milliseconds(60)));
  EXPECT_EQ(nodes.expire(kStart + milliseconds(100)), std::vector<NodeId>{b});
  EXPECT_TRUE(nodes.expire(kStart + milliseconds(100)).empty()) << "told once";
  EXPECT_TRUE(nodes.find(a)->alive);
  EXPECT_FALSE(nodes.heartbeat(beat(b, 1), kStart + milliseconds(110)));
  EXPECT_EQ(nodes.greet(hello(Role::kServer, "b", 1), 12, kStart + milliseconds(120)).outcome,
            Outcome::kAgain);
  EXPECT_TRUE(nodes.heartbeat(beat(b, 1), kStart + milliseconds(130)));
  EXPECT_EQ(nodes.expire(kStart + milliseconds(160)), std::vector<NodeId>{a});
  EXPECT_FALSE(nodes.heartbeat(beat(77, 1), kStart));
}

TEST(Membership, ARecoveredNodeHoldsOneMoreLease) {
  Membership nodes(milliseconds(100));
  Node node;
  node.id = 5;
  node.role = Role::kServer;
  node.name = "ps-3";
  node.incarnation = 9;
  nodes.recover(node, kStart);
  EXPECT_TRUE(nodes.find(5)->alive);
  EXPECT_EQ(nodes.find(5)->peer, 0U);
  Membership patient(milliseconds(100), milliseconds(300));
  patient.recover(node, kStart);
  EXPECT_TRUE(patient.expire(kStart + milliseconds(299)).empty());
  EXPECT_EQ(patient.expire(kStart + milliseconds(300)), std::vector<NodeId>{5});
  EXPECT_EQ(nodes.greet(hello(Role::kServer, "ps-3", 9), 11, kStart).outcome, Outcome::kAgain);
  EXPECT_EQ(nodes.greet(hello(Role::kServer, "other", 1), 12, kStart).id, 6U) << "ids are not used twice";
  node.incarnation = 10;  // the journal goes on: another process took the name
  nodes.recover(node, kStart + milliseconds(50));
  EXPECT_EQ(nodes.count_alive(Role::kServer), 2U);
  nodes.expire(kStart + milliseconds(200));
  EXPECT_EQ(nodes.greet(hello(Role::kServer, "ps-3", 9), 11, kStart + milliseconds(200)).outcome,
            Outcome::kRefused)
      << "the first one has been replaced";
}

}  // namespace
}  // namespace capstan
