// Whole campaigns: hundreds of seeds, each a job of a minute's faults. `capstan-sim` hunts further.
#include "sim/campaign.h"

#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

void run(std::uint64_t first, std::uint64_t count) {
  const SeedRange seeds(first, count);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    const CampaignRun run = run_campaign(seed);
    ASSERT_EQ(run.wrong, "") << "replay: capstan-sim --replay " << seed;
    EXPECT_GE(run.elapsed, std::chrono::seconds(60)) << "seed " << seed;
    EXPECT_GE(run.happened, 10U) << "seed " << seed;
    EXPECT_GE(run.pushes, 2000U) << "seed " << seed;
  }
}

TEST(Campaign, SeedsTo125) {
  run(1, 125);
}
TEST(Campaign, SeedsTo250) {
  run(126, 125);
}
TEST(Campaign, SeedsTo375) {
  run(251, 125);
}
TEST(Campaign, SeedsTo500) {
  run(376, 125);
}

// A new leader that gave up a server too early (twice); replicas whose tables came later than records; time
// that the scheduler stood still; a handover whose scheduler died; copies that were dead when the last
// living one was let go; a generation that no server had heard of, used again after the journal was lost.
TEST(Campaign, SeedsThatFoundBugs) {
  for (const std::uint64_t seed : {70175, 100341, 102321, 103985, 106767, 110697, 111824, 1549, 2398})
    run(seed, 1);
}

TEST(Campaign, NoServerIsCutOffFromItself) {
  FaultPlan plan;
  plan.servers = 2;
  plan.kinds = {FaultKind::kCutServers};
  Rng rng(1);
  for (const Fault& fault : draw_faults(rng, plan)) EXPECT_NE(fault.a, fault.b) << to_string(fault);
}

TEST(Campaign, ARunIsItsSeedAndItsFaults) {
  const CampaignRun once = run_campaign(7), again = run_campaign(7, once.faults);
  EXPECT_EQ(once.elapsed, again.elapsed);
  EXPECT_EQ(once.happened, again.happened);
  std::vector<Fault> fewer(once.faults.begin(), once.faults.begin() + 5);
  EXPECT_LE(run_campaign(7, fewer).happened, 5U);
}

}  // namespace
}  // namespace capstan
