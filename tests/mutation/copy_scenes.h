// Worlds in which a server learns the shards that it has lost: each gives what is wrong in the end; empty:
// nothing.
#pragma once

#include <string>

#include "tests/sim/scenario.h"

namespace capstan {

// A server begins anew. One of those that teach it is given up, because the scheduler does not hear it, and
// teaches on beside its successor; the learner hears it late, and late that it has learnt.
inline std::string taught_by_two(std::uint64_t seed) {
  using std::chrono::milliseconds;
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 3;
  options.shape.batches += 100;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.findings().computed >= 20; }, std::chrono::seconds(60));
  SimNode& learner = cluster.server(seed % 3);
  SimNode& teacher = cluster.server((seed + 1) % 3);
  if (cluster.ended() || !cluster.can_lose(learner)) return "";
  const auto delay = [&](milliseconds least, milliseconds most) {
    for (const SimNode* late : {&teacher, &cluster.scheduler()})
      world.network().set_delay(learner.index(), late->index(), least, most);
  };
  delay(milliseconds(100), milliseconds(300));
  cluster.crash(learner, SimWorld::Crash::kProcess);
  world.run_for(milliseconds(300));
  cluster.restart(learner);
  world.run_for(milliseconds(static_cast<std::int64_t>(1000 + world.rng().below(1000))));
  world.partition(teacher, cluster.scheduler());
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(6));
  world.set_faults(false);
  delay(milliseconds(0), milliseconds(2));
  return must_finish_equal(cluster);
}

// A server begins anew, and its copies, too, because little is kept for it meanwhile: chunks of a former copy
// come late, or again.
inline std::string taught_again_and_again(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2 + seed % 2;
  options.shape.batches += 100;
  options.rare.learner_backlog_bytes = 1500;
  options.rare.catch_up_rate = 4000;
  options.sim.network.duplicate = options.sim.network.reorder = 0.3;
  options.sim.network.slow = 0.2;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.findings().computed >= 20; }, std::chrono::seconds(60));
  SimNode& learner = cluster.server(seed % 2);
  if (cluster.ended() || !cluster.can_lose(learner)) return "";
  cluster.crash(learner, SimWorld::Crash::kProcess);
  world.run_for(std::chrono::milliseconds(300));
  cluster.restart(learner);
  world.run_for(std::chrono::seconds(20));
  world.set_faults(false);
  return must_finish_equal(cluster, std::chrono::seconds(900));
}

}  // namespace capstan
