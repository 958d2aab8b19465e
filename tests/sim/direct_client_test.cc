// Processes that push by themselves, in streams of their own: each batch counts once, whatever is lost, comes
// twice, dies or is begun anew around them; and of one that dies itself all that was acknowledged.
#include "tests/sim/direct_clients.h"

#include <gtest/gtest.h>

#include "common/direct_stream.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint64_t direct_streams_remembered(const SimCluster& cluster, const SimNode& server) {
  const auto process = cluster.server_process(server);
  std::uint64_t streams = 0;
  for (const HeldShard& held : process->held_shards()) {
    for (std::uint64_t n = 1; n < 100; ++n) {
      const std::uint64_t term = (std::uint64_t{1} << 32) + n;
      streams += held.rows->window().term(direct_pass_of(term), direct_partition_of(term)) != 0;
    }
  }
  return streams;
}

TEST(DirectClients, PushesCountOnceWhileServersAndTheSchedulerDie) {
  const SeedRange seeds(1, 20);
  std::uint64_t went_back = 0;
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = direct_options(seed, 3, 2);
    options.lease_ms = 2000;  // lost messages alone make nobody silent
    DirectWorld world(seed, options, 3, 400);
    TroubleOptions trouble;
    trouble.worker_crashes = trouble.pauses = trouble.partitions = false;
    trouble.server_crashes = trouble.scheduler_crashes = true;
    trouble.pause_min = milliseconds(500);
    trouble.pause_max = milliseconds(4000);
    make_trouble(world.cluster, trouble, seconds(30));
    const auto over = [&] { return world.all_closed() || world.any_given_up(); };
    ASSERT_TRUE(world.cluster.world().run_until(over, seconds(300))) << replay(seed) << ": " << world.story();
    if (world.any_given_up() && world.went_back()) {
      ++went_back;
      continue;
    }
    ASSERT_TRUE(world.all_closed()) << replay(seed) << ": " << world.story();
    const auto reader = world.read("reader");
    ASSERT_EQ(world.check(*reader), "") << replay(seed);
    reader->client().end_job("all is done");
    ASSERT_TRUE(world.cluster.run_until_ended(seconds(60))) << replay(seed);
    ASSERT_TRUE(world.cluster.ok()) << replay(seed) << world.cluster.end_text();
    world.cluster.world().run_for(seconds(5));  // the last records on their way
    ASSERT_EQ(world.cluster.check_replicas(), "") << replay(seed);
  }
  EXPECT_LE(went_back, (seeds.end - seeds.first) / 4);
}

TEST(DirectClients, OfOneThatDiesAllThatWasAcknowledgedCountsOnce) {
  const SeedRange seeds(1, 20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    DirectWorld world(seed, direct_options(seed, 2, 1), 3, 120);
    const Duration death = milliseconds(500 + 100 * static_cast<std::int64_t>(seed));
    world.cluster.world().call_after(
        death, [&] { world.cluster.crash(*world.nodes[0], SimWorld::Crash::kProcess); });
    ASSERT_TRUE(world.cluster.world().run_until([&] { return world.all_closed(0); }, seconds(300)))
        << replay(seed);
    const auto reader = world.read("reader");
    ASSERT_EQ(world.check(*reader), "") << replay(seed);
  }
}

TEST(DirectClients, TheirStreamsAreForgottenWhenACheckpointKnowsThemClosed) {
  ClusterOptions options = direct_options(1, 1, 1);
  options.sim.network = NetworkOptions{};
  DirectWorld world(1, options, 4, 60);
  ASSERT_TRUE(world.cluster.world().run_until([&] { return world.all_closed(); }, seconds(300)));
  EXPECT_GT(direct_streams_remembered(world.cluster, world.cluster.server(0)), 0U);
  SimNode& late = world.cluster.world().add_node("late");
  const auto account = std::make_shared<Account>();
  world.cluster.world().start(late, [&](SimNode& self) -> std::shared_ptr<void> {
    return std::make_shared<Pusher>(self, world.cluster, 50, 100, account);
  });
  ASSERT_TRUE(world.cluster.world().run_until([&] { return account->closed; }, seconds(300)));
  const auto reader = world.read("reader");  // the only stream that is open
  ASSERT_EQ(world.check(*reader), "");
  const std::uint32_t shards = options.shape.num_shards;
  EXPECT_LE(direct_streams_remembered(world.cluster, world.cluster.server(0)), shards)
      << "at most that of the late one";
}

TEST(DirectClients, TheJobsLastCheckpointHoldsAllAndTrainsOn) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    DirectWorld world(seed, direct_options(seed, 2, 1), 2, 60);
    ASSERT_TRUE(world.cluster.world().run_until([&] { return world.all_closed(); }, seconds(300)));
    world.read("first")->client().end_job("all is done");
    ASSERT_TRUE(world.cluster.run_until_ended(seconds(60)));
    ASSERT_TRUE(world.cluster.ok()) << world.cluster.end_text();
    world.cluster.crash_all_and_resume(3, 0);
    ASSERT_EQ(world.check(*world.read("second")), "") << replay(seed);
  }
}

TEST(DirectClients, NobodyTakesAStreamOver) {
  const SeedRange seeds(1, 20);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ASSERT_EQ(one_of_some_dies(seed), "") << replay(seed);
  }
}

TEST(DirectClients, CopiesThatComeLateCountNothing) {
  const SeedRange seeds(1, 40);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ASSERT_EQ(copies_come_late(seed), "") << replay(seed);
  }
}

// In stepped modes there is no slot for it.
TEST(DirectClients, AreRefusedWhereAStepHasFixedSlots) {
  ClusterOptions options = small_world(1, Consistency::kSync);
  options.shape.batches = 200;
  SimCluster cluster(1, options);
  SimNode& node = cluster.world().add_node("python");
  const auto account = std::make_shared<Account>();
  cluster.world().start(node, [&](SimNode& self) -> std::shared_ptr<void> {
    return std::make_shared<Pusher>(self, cluster, 0, 10, account);
  });
  ASSERT_TRUE(cluster.world().run_until([&] { return !account->end.empty(); }, seconds(60)));
  EXPECT_NE(account->end.find("consistency: async"), std::string::npos) << account->end;
}

// Beside workers with a job of their own, whose rows and counts stay right.
TEST(DirectClients, PushBesideWorkers) {
  const SeedRange seeds(1, 10);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = direct_options(seed, 2, 2);
    options.workers = 2;
    options.shape.batches = 300;
    options.shape.passes = 1;
    DirectWorld world(seed, options, 2, 40);
    ASSERT_TRUE(world.cluster.world().run_until([&] { return world.all_closed(); }, seconds(300)))
        << replay(seed);
    EXPECT_FALSE(world.cluster.ended()) << "the clients are done before the job";
    const auto reader = world.read("reader");
    ASSERT_EQ(world.check(*reader), "") << replay(seed);
    ASSERT_TRUE(world.cluster.run_until_ended(seconds(600))) << replay(seed);
    ASSERT_EQ(world.cluster.check_rows(), "") << replay(seed);
  }
}

}  // namespace
}  // namespace capstan
