#include "sim/rare_paths.h"

#include <gtest/gtest.h>

#include "tests/sim/scenario.h"

namespace capstan {
namespace {

TEST(RarePaths, NothingIsSaidOfWhatIsUsual) {
  EXPECT_EQ(to_string(RarePaths{}), "");
  RarePaths rare;
  rare.chunk_bytes = 64;
  rare.catch_up_rate = 0;
  EXPECT_EQ(to_string(rare), ", chunks of 64 bytes, learners at any rate");
}

TEST(RarePaths, EachIsDrawnInSomeWorlds) {
  std::string all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    all += to_string(draw_rare_paths(rng, Consistency::kAsync, 2));
  }
  for (const char* each : {"chunks", "requests", "messages of", "records in", "snapshots", "learners at any",
                           "bytes a second", "grace", "journal values"}) {
    EXPECT_NE(all.find(each), std::string::npos) << each;
  }
}

TEST(RarePaths, InSyncASliceMayWaitForAllOthers) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    EXPECT_EQ(draw_rare_paths(rng, Consistency::kSync, 1).requests.requests, RequestLimits().requests);
  }
}

TEST(RarePaths, AStreamMayEndWithAFewBatches) {
  std::uint64_t short_ones = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    LedgerShape shape;
    shape.partitions = 4;
    shape.batches = 80;
    draw_segments(rng, Consistency::kAsync, shape);
    EXPECT_GE(shape.partitions * shape.batches, 320U);
    const std::uint64_t last = Segments(shape.batches).of(shape.batches - 1);
    if (shape.batches - Segments(shape.batches).first_batch(last) <= 3) ++short_ones;
  }
  EXPECT_GT(short_ones, 10U);
}

// All of them at once, in every mode.
TEST(RarePaths, AJobBearsThemTogether) {
  const SeedRange seeds(1, 9);
  for (std::uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    ClusterOptions options = small_world(seed, kModes[seed % 3]);
    options.replicas = options.servers = 2;
    options.checkpoint_every_steps = 5;
    options.shape.batches += 24;
    options.rare.chunk_bytes = 64;
    if (options.consistency != Consistency::kSync) options.rare.requests = {1, 1};
    options.rare.slice_percent = 100;
    options.rare.record_frame_bytes = 16 << 10;
    options.rare.snapshot_bytes_per_second = 4 << 10;
    options.rare.catch_up_rate = 8 << 10;
    options.rare.scheduler_grace_ms = 10'000;
    SimCluster cluster(seed, options);
    TroubleOptions trouble;
    trouble.server_crashes = true;
    make_trouble(cluster, trouble, std::chrono::seconds(20));
    ASSERT_EQ(must_finish_equal(cluster), "") << replay(seed);
  }
}

}  // namespace
}  // namespace capstan
