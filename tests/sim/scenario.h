// Seeded scenarios: a job runs through trouble, then in peace until it is done, and every row is compared
// with the ledger. CAPSTAN_SIM_SEEDS=n runs n seeds instead, CAPSTAN_SIM_FIRST_SEED=s begins at s; both
// together replay one. CAPSTAN_SIM_LOG=1 shows the nodes' logs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

#include "sim/trouble.h"
#include "sim/verdict.h"

namespace capstan {

inline constexpr Consistency kModes[] = {Consistency::kAsync, Consistency::kBounded, Consistency::kSync};

inline std::uint64_t number_from_env(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct SeedRange {
  explicit SeedRange(std::uint64_t first_seed, std::uint64_t count)
      : first(number_from_env("CAPSTAN_SIM_FIRST_SEED", first_seed)),
        end(first + number_from_env("CAPSTAN_SIM_SEEDS", count)) {}
  std::uint64_t first, end;
};

inline std::string replay(std::uint64_t seed) {
  return "seed " + std::to_string(seed) + " (replay: CAPSTAN_SIM_FIRST_SEED=" + std::to_string(seed) +
         " CAPSTAN_SIM_SEEDS=1)";
}

// Small worlds of different shapes.
inline ClusterOptions small_world(std::uint64_t seed, Consistency consistency) {
  Rng rng(combine(seed, 99));
  ClusterOptions options;
  options.consistency = consistency;
  options.staleness = 2;
  options.shape.seed = seed;
  options.servers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.workers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.shape.partitions = 1 + static_cast<std::uint32_t>(rng.below(5));
  options.shape.batches = 6 + static_cast<std::uint32_t>(rng.below(10));
  options.pipeline_depth = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.push_window = 1 + static_cast<std::uint32_t>(rng.below(4));
  options.sim.network = unkind_network();
  return options;
}

// Looks for two owners after every event, until `predicate` holds (then true), the job ends or `limit` is
// over.
inline bool watch_owners(SimCluster& cluster, const std::function<bool()>& predicate, Duration limit) {
  bool held = false;
  const auto over = [&] {
    if (const std::string two = cluster.check_owners(); !two.empty()) cluster.findings().report(two);
    held = predicate();
    return held || cluster.ended();
  };
  cluster.world().run_until(over, limit);
  return held;
}

// Long enough for shards to move in.
inline ClusterOptions changing_world(std::uint32_t replicas, std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.replicas = replicas;
  options.servers = std::max(options.servers, replicas);
  options.shape.batches += 80;
  options.lease_ms = 1500;
  return options;
}

// Once, as soon as the scheduler takes it.
inline void drain_soon(SimCluster& cluster, SimNode& node) {
  if (cluster.ended() || cluster.drain(node)) return;
  cluster.world().call_after(std::chrono::milliseconds(300),
                             [&cluster, &node] { drain_soon(cluster, node); });
}

// Two servers join and one of all is drained, while servers, workers and (one seed of four) the scheduler
// crash, stop and are cut off. Empty: all is well.
inline std::string servers_change_in_trouble(std::uint64_t seed, std::uint32_t replicas, bool checkpoints) {
  ClusterOptions options = changing_world(replicas, seed);
  if (checkpoints) options.checkpoint_every_steps = 5 + seed % 20;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  const auto at = [&](std::uint64_t most) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(500 + world.rng().below(most)));
  };
  world.call_after(at(6000), [&] { cluster.add_server(); });
  world.call_after(at(12000), [&] { cluster.add_server(); });
  world.call_after(
      at(18000), [&] { drain_soon(cluster, cluster.server(world.rng().below(cluster.options().servers))); });
  TroubleOptions trouble;
  trouble.server_crashes = true;
  trouble.scheduler_crashes = seed % 4 == 0;
  make_trouble(cluster, trouble, std::chrono::seconds(60));
  return must_finish_equal(cluster);
}

}  // namespace capstan
