// Servers join and are drained: what the scheduler asks of whom, played by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::Scenario;

class SchedulerMovesTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerMovesTest() {
    options.start = StartMode::kRecover;
    options.config.cluster.servers = 2;
    options.config.cluster.workers = 1;
  }
  void begin(std::uint32_t replicas) {
    options.config.cluster.replicas = replicas;
    ASSERT_TRUE(start().ok());
    gather();
    wait(seconds(3));
  }
  // Everybody who has greeted keeps its lease; one of them knows only an old map.
  void wait(Duration duration, NodeId unknowing = 0) {
    for (Duration spent(0); spent < duration; spent += milliseconds(500)) {
      for (const auto& [peer, id] : node_ids) {
        Heartbeat heartbeat;
        heartbeat.node_id = id;
        heartbeat.incarnation = incarnations.contains(peer) ? incarnations[peer] : 1;
        heartbeat.map_version = id == unknowing ? 0 : scheduler->job().map().version();
        tell(peer, heartbeat);
      }
      loop.advance(milliseconds(500));
    }
  }
  const std::vector<ShardEntry>& entries() const { return scheduler->job().map().entries(); }
  NodeId id(std::uint32_t n) { return node_ids[server(n)]; }
  PeerId peer_of(NodeId id) {
    for (const auto& [peer, each] : node_ids) {
      if (each == id) return peer;
    }
    return 0;
  }
  std::vector<ShardEntry> with_learner() const {
    std::vector<ShardEntry> some;
    for (const ShardEntry& entry : entries()) {
      if (entry.learner != 0) some.push_back(entry);
    }
    return some;
  }
  void learner_ready(const ShardEntry& entry) {
    const NodeId last = entry.chain.back();
    tell(peer_of(last), LearnersReady{last, {{entry.shard, entry.epoch, entry.learner}}}, 0);
  }
  void handed_over(const ShardEntry& entry) {
    const NodeId first = entry.chain.front();
    tell(peer_of(first), HandedOver{first, {{entry.shard, entry.epoch}}}, 0);
  }
  // Plays the servers until nothing is under way.
  void play() {
    for (int round = 0; round < 200; ++round) {
      const auto learning = with_learner();
      for (const ShardEntry& entry : learning) learner_ready(entry);
      const std::uint64_t version = scheduler->job().map().version();
      for (std::uint32_t n = 0; n < 4; ++n) {
        if (!node_ids.contains(server(n))) continue;
        const HandOver* asked = last_sent<HandOver>(server(n));
        if (asked != nullptr) tell(server(n), HandedOver{id(n), asked->shards}, 0);
      }
      wait(milliseconds(500));
      if (learning.empty() && with_learner().empty() && version == scheduler->job().map().version()) return;
    }
    ADD_FAILURE() << "the moves do not end";
  }
  std::size_t places(std::uint32_t n) {
    std::size_t count = 0;
    for (const ShardEntry& entry : entries())
      count += static_cast<std::size_t>(std::count(entry.chain.begin(), entry.chain.end(), id(n)));
    return count;
  }
  std::string drain(const std::string& name, bool dry_run = false) {
    return scheduler->change_servers({name, 0, dry_run}).error;
  }
  std::map<PeerId, std::uint64_t> incarnations;  // other than 1
};

TEST_F(SchedulerMovesTest, ALearnerBecomesAMemberAndThePrimaryHandsOver) {
  begin(1);
  greet_server(2);
  wait(milliseconds(500));
  ASSERT_EQ(with_learner().size(), 2U) << "two at a time";
  const ShardEntry learning = with_learner()[0];
  EXPECT_EQ(learning.learner, id(2));
  learner_ready(learning);
  const ShardEntry both = entries()[learning.shard];
  EXPECT_EQ(both.chain, (std::vector<NodeId>{learning.chain[0], id(2)}));
  EXPECT_GT(both.epoch, learning.epoch);
  wait(milliseconds(500), id(2));
  EXPECT_EQ(last_sent<HandOver>(peer_of(both.chain[0])), nullptr) << "the one that is to lead may be dead";
  wait(milliseconds(500));
  const HandOver* asked = last_sent<HandOver>(peer_of(both.chain[0]));
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->shards[0].shard, both.shard);
  EXPECT_EQ(asked->shards[0].epoch, both.epoch);

  handed_over(learning);
  EXPECT_EQ(entries()[both.shard].epoch, both.epoch) << "an old word, from before it had a learner";
  handed_over(both);
  EXPECT_EQ(entries()[both.shard].chain, (std::vector<NodeId>{id(2)}));
  EXPECT_GT(entries()[both.shard].epoch, both.epoch);
}

// The primary may be going on by the promise of the one that goes; the new member may have died since it
// caught up.
TEST_F(SchedulerMovesTest, NobodyGoesBeforeThoseThatStayKnowTheChain) {
  begin(2);
  greet_server(2);
  play();
  EXPECT_EQ(drain("ps-0"), "");
  wait(milliseconds(500));
  std::optional<ShardEntry> found;  // its backup goes
  for (int round = 0; round < 20 && !found.has_value(); ++round) {
    for (const ShardEntry& entry : with_learner()) {
      if (!found.has_value() && entry.chain[1] == id(0)) found = entry;
      if (!found.has_value()) learner_ready(entry);
    }
    if (found.has_value()) break;
    wait(milliseconds(500));
    for (const ShardEntry& entry : entries()) {
      if (entry.chain.size() > 2) handed_over(entry);
    }
  }
  ASSERT_TRUE(found.has_value()) << "none in which the second one goes";
  learner_ready(*found);
  const auto chain = [&] { return entries()[found->shard].chain; };
  EXPECT_EQ(chain().size(), 3U);
  wait(milliseconds(500), found->chain[0]);
  EXPECT_EQ(chain().size(), 3U) << "its primary does not know";
  wait(milliseconds(500), found->learner);
  EXPECT_EQ(chain().size(), 3U) << "the new one does not know";
  wait(milliseconds(500));
  EXPECT_EQ(chain(), (std::vector<NodeId>{found->chain[0], found->learner}));
}

TEST_F(SchedulerMovesTest, AServerThatJoinsGetsItsShare) {
  for (const std::uint32_t replicas : {1U, 2U}) {
    SCOPED_TRACE(replicas);
    node_ids.clear();
    begin(replicas);
    greet_server(2);
    play();
    for (std::uint32_t n = 0; n < 3; ++n) {
      EXPECT_NEAR(static_cast<double>(places(n)), 16.0 * replicas / 3, 1.0) << n;
    }
    for (const ShardEntry& entry : entries()) EXPECT_EQ(entry.chain.size(), replicas);
    disk.files.clear();
  }
}

TEST_F(SchedulerMovesTest, ADrainedServerHoldsNothingAndIsToldToLeave) {
  begin(1);
  greet_server(2);
  play();
  EXPECT_EQ(drain("ps-0", true), "");
  wait(seconds(1));
  EXPECT_TRUE(with_learner().empty()) << "that was only a question";
  EXPECT_EQ(drain("ps-0"), "");
  EXPECT_EQ(last_sent<JobEnded>(server(0)), nullptr);
  play();
  EXPECT_EQ(places(0), 0U);
  const JobEnded* word = last_sent<JobEnded>(server(0));
  ASSERT_NE(word, nullptr);
  EXPECT_TRUE(word->ok);
  EXPECT_THAT(scheduler->status(), HasSubstr(R"("draining":true)"));
}

TEST_F(SchedulerMovesTest, ADrainGoesOnAfterTheSchedulersDeath) {
  begin(1);
  greet_server(2);
  play();
  EXPECT_EQ(drain("ps-0"), "");
  ASSERT_TRUE(start().ok());
  for (std::uint32_t n = 0; n < 3; ++n) greet_server(n);
  greet_worker(0);
  const std::uint64_t version = scheduler->job().map().version();
  wait(milliseconds(1500));
  EXPECT_EQ(scheduler->job().map().version(), version) << "nothing moves in the first lease";
  wait(seconds(2));
  play();
  EXPECT_EQ(places(0), 0U);
}

TEST_F(SchedulerMovesTest, AnotherProcessUnderADrainedNameIsNotDrained) {
  begin(1);
  greet_server(2);
  play();
  EXPECT_EQ(drain("ps-0"), "");
  play();
  node_ids.erase(server(0));
  wait(seconds(3));
  greet_server(0, 2);
  incarnations[server(0)] = 2;
  wait(milliseconds(500));
  EXPECT_FALSE(scheduler->job().drains(id(0)));
}

TEST_F(SchedulerMovesTest, AServerThatIsNeededIsNotDrained) {
  begin(2);
  EXPECT_THAT(drain("ps-0"), HasSubstr("the job wants 2 to hold each shard"));
  EXPECT_THAT(drain("ps-7"), HasSubstr("there is no server ps-7; there are ps-0, ps-1"));
  EXPECT_THAT(drain("worker-0"), HasSubstr("there is no server worker-0"));
}

TEST_F(SchedulerMovesTest, AServerThatDoesNotLiveIsNotDrained) {
  begin(2);
  greet_server(2);
  play();
  node_ids.erase(server(0));
  wait(seconds(3));
  EXPECT_THAT(drain("ps-0"), HasSubstr("ps-0 does not live"));
  EXPECT_FALSE(scheduler->job().drains(id(0)));
}

TEST_F(SchedulerMovesTest, MoreServersThanHaveSomethingToLeadAreRefused) {
  begin(2);
  const auto scale = [&](std::uint32_t add) { return scheduler->change_servers({"", add, true}).error; };
  EXPECT_EQ(scale(14), "");
  EXPECT_THAT(scale(15), HasSubstr("some would lead nothing: the job has 16 shards"));
  EXPECT_THAT(scale(15), HasSubstr("at most 14 more"));
  EXPECT_THAT(scale(15), HasSubstr("cluster.num_shards: 512"));
  EXPECT_THAT(scale(~0U), HasSubstr("some would lead nothing"));
}

TEST_F(SchedulerMovesTest, MoreServersThanASixteenthOfTheShardsAreWarnedOf) {
  options.config.cluster.num_shards = 64;
  begin(1);
  const auto scale = [&](std::uint32_t add) { return scheduler->change_servers({"", add, true}).json; };
  EXPECT_THAT(scale(2), HasSubstr(R"("note":"")"));
  EXPECT_THAT(scale(3), HasSubstr("5 servers share 64 shards (cluster.num_shards), fewer than 16 each"));
  EXPECT_THAT(scale(3), HasSubstr("some lead 13, others 12"));
  EXPECT_THAT(scale(3), HasSubstr("cluster.num_shards: 128"));
  EXPECT_THAT(scheduler->change_servers({"ps-0", 0, true}).json, HasSubstr(R"("note":"")"));
}

TEST_F(SchedulerMovesTest, FewShardsForTheServersAreWarnedOfAtTheStart) {
  begin(1);
  EXPECT_THAT(
      scheduler->job().facts().warnings,
      ::testing::ElementsAre(AllOf(HasSubstr("2 servers share 16 shards (cluster.num_shards), fewer than 16"),
                                   HasSubstr("cluster.num_shards: 32"))));
  options.start = StartMode::kNew;
  options.config.cluster.num_shards = 32;
  begin(1);
  EXPECT_TRUE(scheduler->job().facts().warnings.empty());
}

// The scheduler that wanted it is dead, or a checkpoint has come in between.
TEST_F(SchedulerMovesTest, AHandoverThatIsNotWantedIsTakenBack) {
  begin(2);
  const ShardEntry before = entries()[3];
  handed_over(before);
  EXPECT_EQ(entries()[3].chain, before.chain);
  EXPECT_GT(entries()[3].epoch, before.epoch) << "the primary goes on";
}

TEST_F(SchedulerMovesTest, AHandoverThatTakesLongIsGivenUp) {
  begin(1);
  greet_server(2);
  wait(milliseconds(500));
  const ShardEntry learning = with_learner()[0];
  learner_ready(learning);
  const std::uint64_t epoch = entries()[learning.shard].epoch;
  wait(seconds(3));
  EXPECT_GT(entries()[learning.shard].epoch, epoch);
  EXPECT_EQ(entries()[learning.shard].chain.front(), learning.chain.front());
}

TEST_F(SchedulerMovesTest, ACutGivesHandoversUp) {
  options.config.checkpoint.path = "checkpoints";
  begin(1);
  greet_server(2);
  wait(milliseconds(500));
  const ShardEntry learning = with_learner()[0];
  learner_ready(learning);
  wait(milliseconds(500));
  const ShardEntry asked = entries()[learning.shard];
  work_off(0);  // the pass ends, and its checkpoint begins
  ASSERT_GT(count_sent<Snapshot>(), 0U);
  EXPECT_GT(entries()[asked.shard].epoch, asked.epoch);
  handed_over(asked);
  EXPECT_EQ(entries()[asked.shard].chain, asked.chain) << "too late";
}

// The next is due before the last is written.
TEST_F(SchedulerMovesTest, CheckpointsWithoutAPauseLeaveHandoversTheirTurn) {
  options.config.checkpoint.path = "checkpoints";
  options.config.checkpoint.every_steps = 1;
  begin(1);
  const auto grant = ask(0);
  greet_server(2);
  wait(milliseconds(500));
  const ShardEntry learning = with_learner()[0];
  report(0, *grant, 1);
  wait(milliseconds(500));
  ASSERT_EQ(count_sent<Snapshot>(), 2U);
  learner_ready(learning);
  report(0, *grant, 2);
  wait(milliseconds(500));
  ASSERT_EQ(count_sent<HandOver>(), 0U) << "each shard has one owner as long as the checkpoint is made";
  snapshot_done(0, {0});
  snapshot_done(1, {1});
  wait(milliseconds(500));
  ASSERT_GT(count_sent<HandOver>(), 0U);
  EXPECT_EQ(count_sent<Snapshot>(), 2U) << "the handover goes first";
  handed_over(entries()[learning.shard]);
  EXPECT_EQ(entries()[learning.shard].chain, (std::vector<NodeId>{id(2)}));
  wait(seconds(1));
  EXPECT_GT(count_sent<Snapshot>(), 2U) << "checkpoints go on";
}

TEST_F(SchedulerMovesTest, APlanForMoreServersNamesThem) {
  begin(1);
  const auto plan = scheduler->change_servers({"", 1, true});
  EXPECT_EQ(plan.error, "");
  EXPECT_THAT(plan.json, HasSubstr(R"("to":"new 1")"));
  EXPECT_THAT(scheduler->status(), HasSubstr(R"("servers_wanted":0)"));
  EXPECT_EQ(scheduler->change_servers({"", 2, false}).error, "");
  EXPECT_THAT(scheduler->status(), HasSubstr(R"("servers_wanted":2)"));
}

}  // namespace
}  // namespace capstan
