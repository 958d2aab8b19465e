// Worlds in which a journal is lost while a server is not what it was: each gives what is wrong in the end;
// empty: nothing.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include "tests/sim/scenario.h"

namespace capstan {

inline ClusterOptions world_to_rebuild(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = 3;
  options.replicas = 2;
  options.shape.batches += 60;
  options.lease_ms = 2000;
  return options;
}

inline bool is_rebuilt(const SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process != nullptr && !process->job().rebuilding() && !process->job().map().empty();
}

// Some batches are computed, and the job goes on without the server.
inline bool trains_and_can_lose(SimCluster& cluster, const SimNode& server) {
  cluster.world().run_until([&] { return cluster.ended() || cluster.findings().computed >= 10; },
                            std::chrono::seconds(60));
  return !cluster.ended() && is_rebuilt(cluster) && cluster.can_lose(server);
}

// A server dies and is there again, with none of its rows; the journal is lost twice in a row.
inline std::string rebuilt_twice(std::uint64_t seed) {
  SimCluster cluster(seed, world_to_rebuild(seed));
  SimWorld& world = cluster.world();
  SimNode& server = cluster.server(seed % 3);
  if (!trains_and_can_lose(cluster, server)) return "";
  for (std::uint32_t n = 0; n < cluster.options().workers; ++n)
    cluster.crash(cluster.worker(n), SimWorld::Crash::kProcess);
  cluster.crash(server, SimWorld::Crash::kProcess);
  cluster.restart(server);
  for (int times = 0; times < 2; ++times) {
    cluster.rebuild_without_journal();
    world.run_until([&] { return is_rebuilt(cluster); }, std::chrono::seconds(60));
    // The server learns the map, in which it is no member any more, before the chains are made whole.
    world.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(world.rng().below(120))));
  }
  for (std::uint32_t n = 0; n < cluster.options().workers; ++n) cluster.restart(cluster.worker(n));
  world.set_faults(false);
  return must_finish_equal(cluster, std::chrono::seconds(600));
}

// Somebody starts a new scheduler without the journal, and a server that was dead greets it first: it gets a
// number there that another server has in the job.
inline std::string numbered_by_a_false_start(std::uint64_t seed) {
  SimCluster cluster(seed, world_to_rebuild(seed));
  SimWorld& world = cluster.world();
  SimNode& server = cluster.server(seed % 3);
  if (!trains_and_can_lose(cluster, server)) return "";
  cluster.crash(server, SimWorld::Crash::kProcess);
  for (std::uint32_t n = 0; n < 3; ++n) {
    if (n != seed % 3) world.partition(cluster.server(n), cluster.scheduler());
  }
  cluster.start_without_journal(StartMode::kNew);
  cluster.restart(server);
  world.run_for(std::chrono::milliseconds(300));
  world.heal();
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(10));
  world.set_faults(false);
  return must_finish_equal(cluster, std::chrono::seconds(600));
}

// No checkpoint of the second pass can be written, then the journal is lost: work goes on from a cut of the
// first, which shards are behind.
inline std::string rebuilt_after_failed_checkpoints(std::uint64_t seed) {
  ClusterOptions options = world_to_rebuild(seed);
  options.checkpoint_every_steps = 5;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  const auto happens = [&](const std::function<bool(const JobFacts&)>& what) {
    const auto seen = [&] {
      const auto process = cluster.scheduler_process();
      return process != nullptr && what(process->job().facts());
    };
    world.run_until([&] { return cluster.ended() || seen(); }, std::chrono::seconds(300));
    return !cluster.ended();
  };
  SimDisk& disk = cluster.scheduler().disk();
  disk.set_faulty_paths(".rows");
  happens([](const JobFacts& facts) { return !facts.checkpoints.empty(); });
  disk.fail_next_syncs(1000);
  std::size_t warnings = 0;  // when the second pass began: a cut of the first may have failed later
  const auto begins = [&](const JobFacts& facts) {
    warnings = facts.warnings.size();
    return !facts.passes.empty();
  };
  if (!happens(begins)) return "";
  if (!happens([&](const JobFacts& facts) { return facts.warnings.size() >= warnings + 2; })) return "";
  disk.fail_next_syncs(0);
  cluster.rebuild_without_journal();
  world.run_until([&] { return is_rebuilt(cluster); }, std::chrono::seconds(60));
  world.set_faults(false);
  return must_finish_equal(cluster, std::chrono::seconds(600));
}

}  // namespace capstan
