#include "sim/sim_tasks.h"

#include <gtest/gtest.h>

#include <set>

#include "sim/world.h"

namespace capstan {
namespace {

using std::chrono::seconds;

TEST(SimTasks, LanesAreSerialAndSeedsMixThem) {
  std::set<std::vector<int>> interleavings;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimOptions options;
    options.tasks.lanes = 3;
    SimWorld world(seed, options);
    SimNode& node = world.add_node("a");
    EXPECT_EQ(node.tasks().lanes(), 3U);
    std::vector<int> worked, done;
    for (int i = 0; i < 30; ++i) {
      node.tasks().run(
          static_cast<std::uint32_t>(i % 3), [&, i] { worked.push_back(i); },
          [&, i] {
            EXPECT_NE(std::find(worked.begin(), worked.end(), i), worked.end());
            done.push_back(i);
          });
    }
    world.run_for(seconds(1));
    ASSERT_EQ(worked.size(), 30U);
    ASSERT_EQ(done.size(), 30U);
    for (const auto& order : {worked, done}) {
      std::vector<int> last(3, -1);
      for (const int i : order) {
        EXPECT_GT(i, last[static_cast<std::size_t>(i % 3)]) << "seed " << seed;
        last[static_cast<std::size_t>(i % 3)] = i;
      }
    }
    interleavings.insert(worked);
  }
  EXPECT_GT(interleavings.size(), 15U);
}

TEST(SimTasks, ACrashFallsBeforeBetweenOrAfter) {
  std::set<std::pair<bool, bool>> outcomes;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SimWorld world(seed, SimOptions{});
    SimNode& node = world.add_node("a");
    bool worked = false, done = false;
    node.tasks().run(
        0, [&] { worked = true; }, [&] { done = true; });
    world.run_for(Duration(static_cast<std::int64_t>(world.rng().below(600))));
    world.crash(node, SimWorld::Crash::kProcess);
    world.run_for(seconds(1));
    outcomes.insert({worked, done});
  }
  EXPECT_EQ(outcomes, (std::set<std::pair<bool, bool>>{{false, false}, {true, false}, {true, true}}));
}

TEST(SimTasks, ASlowLaneIsSlowUntilItIsNot) {
  SimWorld world(1, SimOptions{});
  SimNode& node = world.add_node("a");
  const auto time_of = [&](std::uint32_t lane) {
    constexpr int kTasks = 20;
    int done = 0;
    const Duration before = world.elapsed();
    for (int i = 0; i < kTasks; ++i) node.tasks().run(lane, nullptr, [&] { ++done; });
    EXPECT_TRUE(world.run_until([&] { return done == kTasks; }, seconds(100)));
    return world.elapsed() - before;
  };
  node.tasks().slow_down(1, seconds(1));
  EXPECT_LT(time_of(0), seconds(1));
  EXPECT_GT(time_of(1), seconds(4));
  node.tasks().slow_down(1, Duration(0));
  EXPECT_LT(time_of(1), seconds(1));
}

TEST(SimTasks, ARestartedNodesLanesAreEmpty) {
  SimOptions options;
  options.tasks.work_min = options.tasks.work_max = seconds(1);
  options.tasks.done_max = Duration(0);
  SimWorld world(1, options);
  SimNode& node = world.add_node("a");
  for (int i = 0; i < 100; ++i)
    node.tasks().run(
        0, [] {}, nullptr);
  world.crash(node, SimWorld::Crash::kProcess);
  world.restart(node);
  bool done = false;
  node.tasks().run(0, nullptr, [&] { done = true; });
  EXPECT_TRUE(world.run_until([&] { return done; }, seconds(2)));
}

TEST(SimTasks, APausedNodeWorksOnAfterwards) {
  SimWorld world(1, SimOptions{});
  SimNode& node = world.add_node("a");
  std::vector<std::string> order;
  node.tasks().run(
      0, [&] { order.push_back("work"); }, [&] { order.push_back("done"); });
  world.pause(node, seconds(10));
  world.run_for(seconds(9));
  EXPECT_TRUE(order.empty());
  world.run_for(seconds(2));
  EXPECT_EQ(order, (std::vector<std::string>{"work", "done"}));
}

}  // namespace
}  // namespace capstan
