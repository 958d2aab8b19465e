// Two schedulers lead in turn over a store that delays, forgets and loses answers.
#include "tests/sim/two_schedulers.h"

#include <gtest/gtest.h>

#include "sim/sim_store.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TwoSchedulers, LeadInTurnThroughTrouble) {
  const SeedRange seeds(1, 60);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ASSERT_EQ(led_in_turn(seed, {.checkpoints = seed % 2 == 0}), "") << replay(seed);
  }
}

TEST(TwoSchedulers, LeadInTurnWhileServersDie) {
  const SeedRange seeds(1, 40);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ASSERT_EQ(led_in_turn(seed, {.replicas = 2}), "") << replay(seed);
  }
}

// Between the moment when the store drops a leader and the one when that leader asks, two lead: what the old
// one writes must not be taken.
TEST(TwoSchedulers, TwoThatBothBelieveToLead) {
  const SeedRange seeds(1, 60);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ASSERT_EQ(led_in_turn(seed, {.drops = true}), "") << replay(seed);
  }
}

TEST(TwoSchedulers, TheOtherLeadsSoonAfterTheLeaderDies) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ClusterOptions options = small_world(seed, kModes[seed % 3]);
    options.schedulers = 2;
    options.shape.batches += 60;
    options.sim.network = NetworkOptions{};
    SimCluster cluster(seed, options);
    cluster.store().set_faults(false);
    SimWorld& world = cluster.world();
    ASSERT_TRUE(world.run_until([&] { return cluster.findings().computed >= 5; }, seconds(60)));
    SimNode* leader = &cluster.scheduler();
    cluster.crash(*leader, SimWorld::Crash::kProcess);
    ASSERT_TRUE(world.run_until([&] { return &cluster.scheduler() != leader; }, milliseconds(2400)))
        << "within its lease of 2 s, and what the other takes to ask; seed " << seed;
    ASSERT_EQ(must_finish_right(cluster, kLongestJob), "") << "seed " << seed;
    EXPECT_EQ(cluster.scheduler_process()->job().facts().generation, 2U);
  }
}

TEST(TwoSchedulers, OthersGoOnFromTheLastCheckpoint) {
  const SeedRange seeds(1, 30);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = small_world(seed, kModes[seed % 3]);
    options.schedulers = 2;
    options.checkpoint_every_steps = 5;
    options.shape.batches += 24;
    SimCluster cluster(seed, options);
    const auto has_checkpoint = [&] {
      const auto process = cluster.scheduler_process();
      return cluster.ended() || (process != nullptr && !process->job().facts().checkpoints.empty());
    };
    ASSERT_TRUE(cluster.world().run_until(has_checkpoint, seconds(300))) << replay(seed);
    if (cluster.ended()) continue;
    cluster.crash_all_and_resume(2, 2);
    make_trouble(cluster, TroubleOptions{.scheduler_crashes = true}, seconds(20));
    ASSERT_EQ(must_finish_right(cluster, kLongestJob), "") << replay(seed);
    EXPECT_NE(cluster.scheduler_process()->job().facts().resumed_from, "") << replay(seed);
  }
}

// One store, one node; the store does just what it is told.
class InSimStore : public ::testing::Test {
 protected:
  InSimStore() { store.set_faults(false); }

  Leadership lead_of(const std::string& holder) {
    return Leadership({"/job/leader", holder, 2, [this] { return node.loop().now(); }});
  }
  EtcdJournal journal_of(Leadership& leadership) {
    return EtcdJournal(link, &leadership, silent, {"/job", seconds(2), [this] { return link.now(); }});
  }
  void wait(Duration duration) { world.run_for(duration); }

  SimWorld world{1, SimOptions{}};
  SimNode& node = world.add_node("scheduler");
  SimStore store{world, 1};
  SimStoreLink link{store, node, false};
  Log silent = Log::silent();
};

TEST_F(InSimStore, TheLeadEndsHereBeforeTheStoreForgetsIt) {
  Leadership a = lead_of("a"), b = lead_of("b");
  ASSERT_TRUE(a.campaign(link).ok());
  wait(milliseconds(1850));
  EXPECT_LT(a.until(), node.loop().now());
  EXPECT_EQ(b.campaign(link).error().code, ErrorCode::kTaken);
  wait(milliseconds(200));
  EXPECT_TRUE(b.campaign(link).ok());
  EXPECT_EQ(a.renew(link).error().code, ErrorCode::kRefused);
}

TEST_F(InSimStore, ALeadThatWasNotRenewedInTimeGoesOnIfNobodyElseLed) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(link).ok());
  store.go_away(seconds(5), true);
  wait(seconds(4));
  EXPECT_EQ(a.renew(link).error().code, ErrorCode::kUnavailable);
  EXPECT_LT(a.until(), node.loop().now());
  EXPECT_EQ(a.lost(), "");
  wait(seconds(2));
  EXPECT_TRUE(a.renew(link).ok());
  EXPECT_GT(a.until(), node.loop().now());
}

TEST_F(InSimStore, AKeyThatSomebodyDeletedIsALostLead) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(link).ok());
  StoreCommit deleted;
  deleted.removes = {"/job/leader", "/job/leader0"};
  ASSERT_TRUE(link.commit(deleted).ok());
  EXPECT_EQ(a.renew(link).error().code, ErrorCode::kRefused);
  EXPECT_NE(a.lost().find("nobody leads now"), std::string::npos) << a.lost();
}

TEST_F(InSimStore, GoesOnWithAnEditionOrBeginsAnother) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(link).ok());
  EtcdJournal first = journal_of(a);
  ASSERT_TRUE(first.read(JournalLines::kAll)->empty());
  ASSERT_TRUE(first.begin({GenerationRaised{1}}).ok());
  ASSERT_TRUE(first.append(NodeDrains{1}).ok());
  const std::string edition = store.values("/job/edition");

  EtcdJournal second = journal_of(a);
  auto records = second.read(JournalLines::kAll);
  ASSERT_EQ(records->size(), 2U);
  records->emplace_back(GenerationRaised{2});
  ASSERT_TRUE(second.begin(*records).ok());
  EXPECT_EQ(store.values("/job/edition"), edition) << "nothing was written twice";
  EXPECT_EQ(journal_of(a).read(JournalLines::kAll)->size(), 3U);

  a.resign(link);
  Leadership b = lead_of("b");
  ASSERT_TRUE(b.campaign(link).ok());
  EtcdJournal third = journal_of(b);
  ASSERT_EQ(third.read(JournalLines::kAll)->size(), 3U);
  ASSERT_TRUE(third.begin({GenerationRaised{3}}).ok());
  EXPECT_NE(store.values("/job/edition"), edition);
  EXPECT_EQ(store.values("/job/journal/"), journal_line(GenerationRaised{3})) << "the old one is gone";
}

TEST_F(InSimStore, ARecordGoesOnFromOneValueToTheNext) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(link).ok());
  EtcdJournal journal(link, &a, silent, {"/job", seconds(2), [this] { return link.now(); }, 16});
  ASSERT_TRUE(journal.begin({GenerationRaised{1}}).ok());
  const StateReached reached{"running", 3, "a text that is longer than sixteen bytes"};
  ASSERT_TRUE(journal.append(reached).ok());
  EXPECT_EQ(store.values("/job/journal/"), journal_line(GenerationRaised{1}) + journal_line(reached));
  const std::string edition = store.values("/job/edition");
  EXPECT_EQ(store.values("/job/journal/" + edition + "/0000000001").size(), 16U);
  const auto back = journal_of(a).read(JournalLines::kAll);
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ(to_json_text(back->at(1)), to_json_text(reached));
}

// The writer died with a part of a record written.
TEST_F(InSimStore, ATornRecordIsDroppedAndAnotherEditionBegun) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(link).ok());
  EtcdJournal first = journal_of(a);
  ASSERT_TRUE(first.begin({GenerationRaised{1}}).ok());
  StoreCommit torn;
  torn.puts.push_back(
      {"/job/journal/" + store.values("/job/edition") + "/0000000002", "0123456789abcdef {\"rec", 0});
  ASSERT_TRUE(link.commit(torn).ok());
  EtcdJournal second = journal_of(a);
  auto records = second.read(JournalLines::kAll);
  ASSERT_TRUE(records.ok()) << records.error().message;
  ASSERT_EQ(records->size(), 1U);
  a.resign(link);
  Leadership b = lead_of("b");
  ASSERT_TRUE(b.campaign(link).ok());
  EtcdJournal third = journal_of(b);
  records = third.read(JournalLines::kAll);
  ASSERT_TRUE(third.begin(*records).ok());
  ASSERT_TRUE(third.append(NodeDrains{7}).ok());
  EXPECT_EQ(journal_of(b).read(JournalLines::kAll)->size(), 2U);
}

TEST_F(InSimStore, AGapOrADamagedValueIsNamed) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(link).ok());
  EtcdJournal journal = journal_of(a);
  ASSERT_TRUE(journal.begin({GenerationRaised{1}}).ok());
  for (NodeId id = 1; id <= 3; ++id) ASSERT_TRUE(journal.append(NodeDrains{id}).ok());
  const std::string prefix = "/job/journal/" + store.values("/job/edition") + "/";
  StoreCommit damage;
  damage.puts.push_back({prefix + "0000000002", "what is this\n", 0});
  ASSERT_TRUE(link.commit(damage).ok());
  const auto damaged = journal_of(a).read(JournalLines::kAll);
  ASSERT_FALSE(damaged.ok());
  EXPECT_NE(damaged.error().message.find("/job/journal:2: no checksum; delete the keys below /job/"),
            std::string::npos)
      << damaged.error().message;
  StoreCommit gap;
  gap.removes = {prefix + "0000000002", prefix + "0000000003"};
  ASSERT_TRUE(link.commit(gap).ok());
  const auto missing = journal_of(a).read(JournalLines::kAll);
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("0000000003 stands where number 2 should be"), std::string::npos)
      << missing.error().message;
}

}  // namespace
}  // namespace capstan
