#include "scheduler/rebuild.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

Hello server(const std::string& name, std::uint32_t generation = 3, std::uint32_t run = 2) {
  Hello hello;
  hello.role = Role::kServer;
  hello.name = name;
  hello.endpoint = "tcp://" + name + ":1";
  hello.incarnation = 77;
  hello.generation = generation;
  hello.run = run;
  return hello;
}

constexpr std::uint64_t kVersion = 3ULL << 32;

MapUpdate map_of(std::uint64_t n, const std::vector<ShardEntry>& entries) {
  MapUpdate map;
  map.version = kVersion + n;
  map.num_shards = 2;
  map.nodes = {{1, "ps-0", ""}, {2, "ps-1", ""}, {3, "ps-2", ""}};
  map.shards = entries;
  map.sketch_width = 64;
  return map;
}

TEST(Rebuild, WaitsForEveryMemberOfTheNewestChains) {
  Rebuild rebuild(2, {});
  EXPECT_FALSE(rebuild.complete());
  EXPECT_EQ(rebuild.waits_for(), "rebuilding without a journal: heard nobody yet");
  ASSERT_TRUE(
      rebuild.hear(server("ps-0"), map_of(1, {{0, kVersion + 1, {1, 2}}, {1, kVersion + 1, {1}}})).ok());
  EXPECT_FALSE(rebuild.complete());
  EXPECT_NE(rebuild.waits_for().find("heard ps-0; waiting for ps-1 (1 shards)"), std::string::npos);
  // It knows that ps-0 has left the chain, and who learns.
  ASSERT_TRUE(
      rebuild.hear(server("ps-1"), map_of(4, {{0, kVersion + 4, {2}, 3}, {1, kVersion + 1, {1}}})).ok());
  EXPECT_FALSE(rebuild.complete()) << "ps-2 may lead by now";
  ASSERT_TRUE(
      rebuild.hear(server("ps-2"), map_of(4, {{0, kVersion + 4, {2}, 3}, {1, kVersion + 1, {1}}})).ok());
  ASSERT_TRUE(rebuild.complete());
  const auto found = rebuild.found();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->generation, 3U);
  EXPECT_EQ(found->run, 2U);
  EXPECT_EQ(found->sketch_width, 64U);
  EXPECT_EQ(found->entries[0].chain, std::vector<NodeId>{2});
  EXPECT_EQ(found->entries[0].learner, 3U);
  ASSERT_EQ(found->servers.size(), 3U);
  EXPECT_EQ(found->servers[1].id, 2U);
  EXPECT_EQ(found->servers[1].endpoint, "tcp://ps-1:1");
}

TEST(Rebuild, AnOldMapThatIsHeardLateChangesNothing) {
  Rebuild rebuild(2, {});
  ASSERT_TRUE(rebuild.hear(server("ps-1"), map_of(4, {{0, kVersion + 4, {2}}, {1, kVersion + 4, {2}}})).ok());
  ASSERT_TRUE(rebuild.complete());
  ASSERT_TRUE(
      rebuild.hear(server("ps-0", 2), map_of(1, {{0, kVersion + 1, {1, 2}}, {1, kVersion + 1, {1}}})).ok());
  ASSERT_TRUE(rebuild.complete());
  EXPECT_EQ(rebuild.found()->entries[1].chain, std::vector<NodeId>{2});
  EXPECT_EQ(rebuild.found()->generation, 3U);
}

TEST(Rebuild, WhoIsGivenUpLeavesItsChains) {
  Rebuild rebuild(2, {"ps-0"});
  ASSERT_TRUE(
      rebuild.hear(server("ps-1"), map_of(1, {{0, kVersion + 1, {1, 2}}, {1, kVersion + 1, {2, 1}}})).ok());
  ASSERT_TRUE(rebuild.complete());
  EXPECT_EQ(rebuild.found()->entries[0].chain, std::vector<NodeId>{2});
  // What it says itself counts no more.
  ASSERT_TRUE(rebuild.hear(server("ps-0"), map_of(9, {{0, kVersion + 9, {1}}, {1, kVersion + 9, {1}}})).ok());
  EXPECT_EQ(rebuild.found()->entries[0].chain, std::vector<NodeId>{2});
}

TEST(Rebuild, AShardThatHadNobodyElseIsGone) {
  Rebuild rebuild(2, {"ps-0"});
  ASSERT_TRUE(rebuild.hear(server("ps-1"), map_of(1, {{0, kVersion + 1, {1}}, {1, kVersion + 1, {2}}})).ok());
  ASSERT_TRUE(rebuild.complete());
  const auto found = rebuild.found();
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(
      found.error().message,
      "shard 0 has no member left that holds its rows: they are gone. Go on from the last checkpoint with "
      "--resume and new servers");
}

TEST(Rebuild, AServerThatHoldsNothingYetIsNotWaitedFor) {
  Rebuild rebuild(2, {});
  ASSERT_TRUE(rebuild.hear(server("ps-9", 0, 0), MapUpdate{}).ok());
  EXPECT_FALSE(rebuild.complete());
  ASSERT_TRUE(rebuild.hear(server("ps-0"), map_of(1, {{0, kVersion + 1, {1}}, {1, kVersion + 1, {1}}})).ok());
  EXPECT_TRUE(rebuild.complete());
  EXPECT_EQ(rebuild.found()->servers.size(), 1U) << "it has no number: it greets as a new one";
}

// It was started again since: it has the name, and none of the rows.
TEST(Rebuild, AMemberThatHoldsNothingLeavesItsChains) {
  Rebuild rebuild(2, {});
  ASSERT_TRUE(
      rebuild.hear(server("ps-1"), map_of(1, {{0, kVersion + 1, {1, 2}}, {1, kVersion + 1, {2, 1}}})).ok());
  ASSERT_TRUE(rebuild.hear(server("ps-0", 0, 0), MapUpdate{}).ok());
  ASSERT_TRUE(rebuild.complete());
  EXPECT_EQ(rebuild.found()->entries[0].chain, std::vector<NodeId>{2});
  EXPECT_EQ(rebuild.found()->servers.size(), 1U);
  EXPECT_TRUE(rebuild.found()->loses_members);
  EXPECT_EQ(rebuild.found()->newest[0].chain, (std::vector<NodeId>{1, 2})) << "as it was heard";
}

// Numbers are not given to others, nor a name another number.
TEST(Rebuild, EveryNameThatWasHeardOfKeepsItsNumber) {
  Rebuild rebuild(2, {});
  ASSERT_TRUE(rebuild.hear(server("ps-1"), map_of(1, {{0, kVersion + 1, {2}}, {1, kVersion + 1, {2}}})).ok());
  ASSERT_TRUE(rebuild.hear(server("ps-0", 0, 0), MapUpdate{}).ok());
  const auto found = rebuild.found();
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->loses_members);
  ASSERT_EQ(found->others.size(), 2U);
  EXPECT_EQ(found->others[0].id, 1U);
  EXPECT_EQ(found->others[0].incarnation, 77U) << "the process that has the name now";
  EXPECT_EQ(found->others[1].name, "ps-2");
  EXPECT_EQ(found->others[1].incarnation, 0U) << "nobody was heard";
}

TEST(Rebuild, OfTwoNumbersOfANameTheNewerCounts) {
  Rebuild rebuild(2, {});
  MapUpdate map = map_of(1, {{0, kVersion + 1, {2, 3}}, {1, kVersion + 1, {3}}});
  map.nodes.push_back({4, "ps-2", ""});
  map.shards[1].chain = {4};
  ASSERT_TRUE(rebuild.hear(server("ps-1"), map).ok());
  ASSERT_TRUE(rebuild.hear(server("ps-2"), map).ok());
  const auto found = rebuild.found();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->entries[0].chain, std::vector<NodeId>{2});
  EXPECT_EQ(found->entries[1].chain, std::vector<NodeId>{4});
  ASSERT_EQ(found->servers.size(), 2U);
  EXPECT_EQ(found->servers[1].id, 4U);
}

TEST(Rebuild, AJobOfAnotherShapeIsRefused) {
  Rebuild rebuild(4, {});
  const Status heard =
      rebuild.hear(server("ps-0"), map_of(1, {{0, kVersion + 1, {1}}, {1, kVersion + 1, {1}}}));
  ASSERT_FALSE(heard.ok());
  EXPECT_EQ(heard.error().message, "ps-0 holds a job of 2 shards, cluster.num_shards is 4");
}

}  // namespace
}  // namespace capstan
