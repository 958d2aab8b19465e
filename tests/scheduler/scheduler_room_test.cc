// Copies, drained servers and plans where servers have memory limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::Scenario;

constexpr std::uint64_t kMiB = 1 << 20;

class SchedulerRoomTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerRoomTest() {
    options.start = StartMode::kRecover;
    options.config.cluster.servers = 3;
    options.config.cluster.workers = 1;
    options.config.cluster.num_shards = 64;
    options.config.cluster.replicas = 2;
    memory_limit = 40 * kMiB;
  }
  // Every server says that it holds so much.
  void begin(std::uint64_t mib) {
    ASSERT_TRUE(start().ok());
    gather();
    for (std::uint32_t n = 0; n < options.config.cluster.servers; ++n) bytes[server(n)] = mib * kMiB;
    wait(seconds(3));
  }
  void wait(Duration duration) {
    for (Duration spent(0); spent < duration; spent += milliseconds(500)) {
      for (const auto& [peer, id] : node_ids) {
        Heartbeat heartbeat;
        heartbeat.node_id = id;
        heartbeat.incarnation = 1;
        heartbeat.map_version = scheduler->job().map().version();
        heartbeat.bytes = bytes[peer];
        tell(peer, heartbeat);
      }
      loop.advance(milliseconds(500));
    }
  }
  void lose(std::uint32_t n) {
    node_ids.erase(server(n));
    wait(milliseconds(options.config.cluster.lease_ms) * 3);
  }
  const std::vector<ShardEntry>& entries() const { return scheduler->job().map().entries(); }
  std::size_t learning(NodeId id = 0) const {
    std::size_t count = 0;
    for (const ShardEntry& entry : entries())
      count += entry.learner != 0 && (id == 0 || entry.learner == id) ? 1 : 0;
    return count;
  }
  std::size_t short_chains() const {
    std::size_t count = 0;
    for (const ShardEntry& entry : entries()) count += entry.chain.size() < 2 ? 1 : 0;
    return count;
  }
  // Each primary says that its learners have all.
  void learners_ready() {
    for (const ShardEntry& entry : std::vector<ShardEntry>(entries())) {
      if (entry.learner == 0) continue;
      const NodeId last = entry.chain.back();
      for (const auto& [peer, id] : node_ids) {
        if (id == last) tell(peer, LearnersReady{last, {{entry.shard, entry.epoch, entry.learner}}}, 0);
      }
    }
  }
  void play() {
    for (int round = 0; round < 200; ++round) {
      learners_ready();
      for (const std::uint32_t n : {0U, 1U, 2U}) {
        if (!node_ids.contains(server(n))) continue;
        const HandOver* asked = last_sent<HandOver>(server(n));
        if (asked != nullptr) tell(server(n), HandedOver{node_ids[server(n)], asked->shards}, 0);
      }
      wait(milliseconds(500));
    }
  }
  std::size_t places(std::uint32_t n) {
    std::size_t count = 0;
    for (const ShardEntry& entry : entries()) count += holds(entry.chain, node_ids[server(n)]) ? 1 : 0;
    return count;
  }
  std::size_t warnings(const std::string& words) const {
    std::size_t count = 0;
    for (const std::string& warning : scheduler->job().facts().warnings)
      count += warning.find(words) != std::string::npos ? 1 : 0;
    return count;
  }
  ChangeServersReply plan(const std::string& drain, std::uint32_t add) {
    return scheduler->change_servers({drain, add, true});
  }
  std::map<PeerId, std::uint64_t> bytes;
};

constexpr const char* kNoRoom = "memory limits leave no room for another one";

TEST_F(SchedulerRoomTest, CopiesThatDoNotFitAreMadeWhenAServerJoins) {
  begin(37);
  lose(2);
  EXPECT_GT(short_chains(), 40U);
  EXPECT_EQ(learning(), 0U) << "37 MiB of the 37.5 that may be filled, and 0.9 for each shard";
  EXPECT_EQ(warnings(kNoRoom), 1U);
  wait(seconds(20));
  EXPECT_EQ(warnings(kNoRoom), 1U) << "not at each tick";
  EXPECT_EQ(learning(), 0U);

  const std::size_t lacking = short_chains();
  greet_server(3);
  wait(seconds(3));
  EXPECT_EQ(learning(node_ids[server(3)]), lacking);
  learners_ready();
  EXPECT_EQ(short_chains(), 0U);
}

TEST_F(SchedulerRoomTest, AsManyCopiesAreMadeAsFit) {
  begin(30);
  lose(2);
  const auto most = static_cast<std::size_t>(7.5 / (30.0 / 43));
  for (const std::uint32_t n : {0U, 1U}) {
    EXPECT_LE(learning(node_ids[server(n)]), most);
    EXPECT_GE(learning(node_ids[server(n)]), most - 1);
  }
  EXPECT_EQ(warnings(kNoRoom), 1U);
  learners_ready();
  EXPECT_EQ(learning(), 0U);
  wait(seconds(1));
  EXPECT_EQ(learning(), 0U) << "what was learned is not counted yet";
  bytes[server(0)] = bytes[server(1)] = 37 * kMiB;
  wait(seconds(20));
  EXPECT_EQ(learning(), 0U);
  EXPECT_EQ(warnings(kNoRoom), 1U);

  bytes[server(0)] = bytes[server(1)] = 10 * kMiB;  // rows have expired
  wait(seconds(3));
  learners_ready();
  EXPECT_EQ(short_chains(), 0U);
}

TEST_F(SchedulerRoomTest, CopiesThatFitAreMadeAtOnce) {
  begin(20);
  lose(2);
  EXPECT_EQ(learning(), short_chains());
  EXPECT_GT(learning(), 40U);
  EXPECT_EQ(warnings(kNoRoom), 0U);
}

TEST_F(SchedulerRoomTest, WithoutLimitsCopiesAreMadeAtOnce) {
  memory_limit = 0;
  begin(1000);
  lose(2);
  EXPECT_EQ(learning(), short_chains());
  EXPECT_GT(learning(), 40U);
}

// A scheduler that goes on knows chains from the journal, and memory only from heartbeats.
TEST_F(SchedulerRoomTest, AnotherSchedulerWaitsForWhatServersHold) {
  begin(37);
  lose(2);
  ASSERT_TRUE(start().ok());
  for (const std::uint32_t n : {0U, 1U}) greet_server(n);
  loop.advance(milliseconds(options.config.cluster.lease_ms) / 2);
  EXPECT_EQ(learning(), 0U);
  greet_worker(0);
  wait(seconds(20));
  EXPECT_EQ(learning(), 0U);
  EXPECT_EQ(warnings(kNoRoom), 1U);
}

TEST_F(SchedulerRoomTest, AServerWhoseRowsFitNowhereIsNotDrained) {
  options.config.cluster.servers = 4;
  begin(36);
  EXPECT_THAT(plan("ps-0", 0).error, HasSubstr("have room for 4.5 MiB within their memory limits"));
  EXPECT_THAT(plan("ps-0", 0).error, HasSubstr("Add a server first"));
  EXPECT_FALSE(scheduler->change_servers({"ps-0", 0, false}).error.empty());
  EXPECT_FALSE(scheduler->job().drains(node_ids[server(0)]));
  EXPECT_EQ(plan("ps-0", 1).error, "") << "a new one has room for 37.5";
  for (std::uint32_t n = 0; n < 4; ++n) bytes[server(n)] = 28 * kMiB;
  wait(seconds(1));
  EXPECT_EQ(plan("ps-0", 0).error, "") << "9.5 each";
}

// A server that leaves gives its shards away even where others lack a copy for want of memory.
TEST_F(SchedulerRoomTest, AServerIsDrainedWhileOtherShardsLackCopies) {
  options.config.cluster.servers = 4;
  begin(28);
  ASSERT_EQ(scheduler->change_servers({"ps-0", 0, false}).error, "");
  for (std::uint32_t n = 0; n < 4; ++n) bytes[server(n)] = 37 * kMiB;
  wait(milliseconds(500));
  lose(3);
  ASSERT_GT(short_chains(), 0U);
  ASSERT_EQ(warnings(kNoRoom), 1U);
  play();
  EXPECT_EQ(places(0), 0U);
  EXPECT_GT(short_chains(), 0U);
}

// Servers of 10 and 30 MiB: a third one of 20 gets a third.
TEST_F(SchedulerRoomTest, ThePlanOfMoreServersTakesThemToHaveTheMeanMemory) {
  options.config.cluster.servers = 2;
  options.config.cluster.replicas = 1;
  ASSERT_TRUE(start().ok());
  memory_limit = 10 * kMiB;
  greet_server(0);
  memory_limit = 30 * kMiB;
  greet_server(1);
  greet_worker(0);
  ready(0);
  tables_ready();
  wait(seconds(3));
  const std::string json = plan("", 1).json;
  std::size_t moves = 0;
  for (std::size_t at = json.find("\"to\":\"new 1\""); at != std::string::npos;
       at = json.find("\"to\":\"new 1\"", at + 1))
    ++moves;
  EXPECT_NEAR(static_cast<double>(moves), 64.0 / 3, 1.0);
  EXPECT_EQ(json.find("\"to\":\"ps-"), std::string::npos) << json;
  EXPECT_THAT(json, HasSubstr("is taken to have 20.0 MiB for rows, the mean of the others' memory limits"));

  memory_limit = 20 * kMiB;
  greet_server(2);
  play();
  EXPECT_EQ(places(2), moves) << "as the plan had said";
}

TEST_F(SchedulerRoomTest, ThePlanOfMoreServersTakesTheJobsMemoryLimit) {
  options.config.cluster.memory_limit = 24 * kMiB;
  begin(1);
  EXPECT_THAT(plan("", 1).json, HasSubstr("is taken to have 24.0 MiB for rows, cluster.memory_limit"));
}

}  // namespace
}  // namespace capstan
