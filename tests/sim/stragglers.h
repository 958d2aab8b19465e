// Worlds in which one worker's machine is slow, so that its items are split.
#pragma once

#include "tests/sim/scenario.h"

namespace capstan {

// async, with passes that the slow worker alone would need many seconds for.
inline ClusterOptions slow_world(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.workers = 2 + static_cast<std::uint32_t>(seed % 2);
  options.replicas = 1 + static_cast<std::uint32_t>(seed % 2);
  options.servers = std::max(options.servers, options.replicas);
  options.shape.partitions = 2 + static_cast<std::uint32_t>(seed % 3);
  options.shape.batches += 40;
  options.slowness = 15;
  return options;
}

// How many items were split so far, as the scheduler that runs now knows; it knows of all by its journal.
inline std::uint64_t splits(SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process == nullptr ? 0 : process->job().facts().splits;
}

// Nothing else befalls it.
inline std::string helped(std::uint64_t seed) {
  ClusterOptions options = slow_world(seed);
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  return must_finish(cluster, std::chrono::seconds(300));
}

// The journal is lost after a split: all is done again from the beginning, and split anew.
inline std::string rebuilt_after_a_split(std::uint64_t seed) {
  SimCluster cluster(seed, slow_world(seed));
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.ended() || splits(cluster) > 0; }, std::chrono::seconds(300));
  world.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(world.rng().below(1500))));
  if (cluster.ended()) return "";
  cluster.rebuild_without_journal();
  return must_finish(cluster, std::chrono::seconds(300));
}

}  // namespace capstan
