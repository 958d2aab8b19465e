// Worlds in which planted bugs show: each gives what is wrong in the end; empty: nothing.
#pragma once

#include <algorithm>
#include <functional>
#include <string>

#include "tests/sim/scenario.h"

namespace capstan {

inline std::string in_trouble(std::uint64_t seed, Consistency consistency) {
  SimCluster cluster(seed, small_world(seed, consistency));
  make_trouble(cluster, TroubleOptions{}, std::chrono::seconds(40));
  return must_finish_right(cluster, std::chrono::seconds(300));
}

// In sync a cut is made some steps ahead: the pass must be longer than that.
inline ClusterOptions with_checkpoints(std::uint64_t seed, Consistency consistency) {
  ClusterOptions options = small_world(seed, consistency);
  options.checkpoint_every_steps = 5;
  if (consistency == Consistency::kSync) options.shape.batches += 24;
  return options;
}

inline bool has_checkpoint(const SimCluster& cluster) {
  const auto process = cluster.scheduler_process();
  return process != nullptr && !process->job().facts().checkpoints.empty();
}

// False: the job ended first.
inline bool goes_on_until(SimCluster& cluster, const std::function<bool()>& happened) {
  cluster.world().run_until([&] { return cluster.ended() || happened(); }, std::chrono::seconds(300));
  return !cluster.ended();
}

// The cluster dies some time after its first checkpoint; others go on from there.
inline std::string resumed(std::uint64_t seed, Consistency consistency) {
  SimCluster cluster(seed, with_checkpoints(seed, consistency));
  SimWorld& world = cluster.world();
  goes_on_until(cluster, [&] { return has_checkpoint(cluster); });
  world.run_until([&] { return cluster.ended(); },
                  std::chrono::milliseconds(static_cast<std::int64_t>(world.rng().below(400))));
  if (cluster.ended()) return "";
  cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, std::chrono::seconds(300));
}

// The first checkpoints of a job in peace, as they are on the disk.
inline std::string first_checkpoints(std::uint64_t seed) {
  SimCluster cluster(seed, with_checkpoints(seed, kModes[seed % 3]));
  const auto kept = [&] {
    return has_checkpoint(cluster) && cluster.scheduler_process()->job().facts().checkpoints.size() > 1;
  };
  goes_on_until(cluster, kept);
  return cluster.check_checkpoints();
}

// Some items have been taken over beyond the checkpoint when the servers die: their holders know no batch
// before the one that they began with.
inline std::string resumed_after_a_change_of_holders(std::uint64_t seed) {
  ClusterOptions options = with_checkpoints(seed, Consistency::kAsync);
  options.workers = std::max(options.workers, 2U);
  options.shape.partitions = std::max(options.shape.partitions, 2U);
  options.shape.batches += 10;
  SimCluster cluster(seed, options);
  if (!goes_on_until(cluster, [&] { return has_checkpoint(cluster); })) return "";
  cluster.crash(cluster.worker(0), SimWorld::Crash::kProcess);
  cluster.restart(cluster.worker(0));
  const std::uint64_t computed = cluster.findings().computed + 2 + seed % 12;
  if (!goes_on_until(cluster, [&] { return cluster.findings().computed >= computed; })) return "";
  cluster.crash_all_but_workers_and_resume(2);
  TroubleOptions trouble;
  trouble.worker_crashes = false;
  make_trouble(cluster, trouble, std::chrono::seconds(20));
  // They may have pulled rows that were not restored yet: what they make of them must not count.
  cluster.findings().wrong.clear();
  return must_finish_right(cluster, std::chrono::seconds(300));
}

// Checkpoints that are small beside their base: each holds what changed since the one before.
inline ClusterOptions with_increments(std::uint64_t seed, Consistency consistency) {
  ClusterOptions options = with_checkpoints(seed, consistency);
  options.shape.keys = 300;
  options.shape.batches += 20;
  options.checkpoint_every_steps = 3;
  return options;
}

// The cluster dies with a checkpoint that builds on another; others go on from there.
inline std::string resumed_from_increment(std::uint64_t seed) {
  ClusterOptions options = with_increments(seed, Consistency::kSync);
  options.shape.evicts = true;
  SimCluster cluster(seed, options);
  const auto builds = [&] {
    const auto process = cluster.scheduler_process();
    if (cluster.ended()) return true;
    return process != nullptr && !process->job().facts().checkpoints.empty() &&
           process->job().facts().checkpoints.back().builds_on != 0;
  };
  cluster.world().run_until(builds, std::chrono::seconds(300));
  if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, std::chrono::seconds(300));
}

// The servers' disks fail for some checkpoints.
inline std::string with_failed_checkpoints(std::uint64_t seed) {
  ClusterOptions options = with_increments(seed, Consistency::kAsync);
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  const auto warned = [&](std::size_t times) {
    const auto process = cluster.scheduler_process();
    return cluster.ended() || (process != nullptr && process->job().facts().warnings.size() >= times);
  };
  const auto kept = [&](std::uint64_t number) {
    const auto process = cluster.scheduler_process();
    return cluster.ended() || (process != nullptr && !process->job().facts().checkpoints.empty() &&
                               process->job().facts().checkpoints.back().checkpoint >= number);
  };
  SimDisk& disk = cluster.server(0).disk();
  disk.set_faulty_paths(".rows");
  cluster.world().run_until([&] { return kept(1 + seed % 3); }, std::chrono::seconds(300));
  disk.fail_next_syncs(1000);
  cluster.world().run_until([&] { return warned(1); }, std::chrono::seconds(300));
  disk.fail_next_syncs(0);
  const std::uint64_t next = 3 + seed % 3;
  cluster.world().run_until([&] { return kept(next); }, std::chrono::seconds(300));
  if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, std::chrono::seconds(300));
}

// A server joins and gets its share while checkpoints are made.
inline std::string joined_between_increments(std::uint64_t seed) {
  ClusterOptions options = with_increments(seed, kModes[seed % 3]);
  options.servers = 2;
  options.shape.batches += 60;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  cluster.world().run_until([&] { return cluster.findings().computed >= 10; }, std::chrono::seconds(60));
  cluster.add_server();
  cluster.world().run_for(
      std::chrono::milliseconds(static_cast<std::int64_t>(2000 + cluster.world().rng().below(4000))));
  if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  return must_finish_right(cluster, std::chrono::seconds(300));
}

// With the scheduler dying too.
inline std::string recovered(std::uint64_t seed) {
  SimCluster cluster(seed, small_world(seed, Consistency::kAsync));
  TroubleOptions trouble;
  trouble.scheduler_crashes = true;
  make_trouble(cluster, trouble, std::chrono::seconds(40));
  return must_finish(cluster, std::chrono::seconds(120));
}

// The scheduler hears nobody for longer than a lease, then one server before the others.
inline std::string heard_again_one_by_one(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.servers = 3;
  options.replicas = 2;
  options.shape.batches += 60;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.findings().computed >= 5; }, std::chrono::seconds(60));
  for (std::size_t n = 0; n < 3; ++n) {
    world.partition_one_way(cluster.server(n), cluster.scheduler());
    world.partition_one_way(cluster.scheduler(), cluster.server(n));
  }
  world.run_for(std::chrono::seconds(2));
  for (std::size_t n = 0; n < 3; ++n) {
    world.heal(cluster.server((seed + n) % 3), cluster.scheduler());
    const Duration until = world.elapsed() + std::chrono::milliseconds(700);
    const auto look = [&] {
      if (const std::string two = cluster.check_owners(); !two.empty()) cluster.findings().report(two);
      return world.elapsed() >= until;
    };
    world.run_until(look, std::chrono::seconds(2));
  }
  return must_finish(cluster, std::chrono::seconds(300));
}

// A server joins a calm job and gets its share of the shards.
inline std::string joined(std::uint64_t seed, std::uint32_t replicas, bool checkpoints) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = 2;
  options.replicas = replicas;
  options.shape.batches += 80;
  options.sim.network = NetworkOptions{};
  if (checkpoints) options.checkpoint_every_steps = 5;
  SimCluster cluster(seed, options);
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 10; }, std::chrono::seconds(60));
  cluster.add_server();
  if (checkpoints) {
    SimWorld& world = cluster.world();
    world.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(2000 + world.rng().below(4000))));
    if (!cluster.ended()) cluster.crash_all_and_resume(2, 2);
  } else {
    watch_owners(
        cluster, [] { return false; }, std::chrono::seconds(300));
  }
  return must_finish_equal(cluster);
}

// A server joins, and nobody looks before the end.
inline std::string joined_unwatched(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = 2;
  options.shape.batches += 80;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  cluster.add_server();
  const std::string wrong = must_finish(cluster, std::chrono::seconds(300));
  return wrong.find("two owners") == std::string::npos ? "" : wrong;
}

// The scheduler no longer hears a server that everybody else does.
inline std::string cut_off_from_the_scheduler(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2;
  options.shape.batches += 60;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 5; }, std::chrono::seconds(60));
  world.partition(cluster.server(seed % 2), cluster.scheduler());
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(6));
  world.set_faults(false);
  return must_finish_equal(cluster);
}

// A server that the scheduler has not heard for longer than a lease is heard again, beside its successor.
inline std::string cut_off_and_back(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2;
  options.shape.batches += 100;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 5; }, std::chrono::seconds(60));
  world.partition(cluster.server(seed % 2), cluster.scheduler());
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(3));
  world.heal();
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(3));
  world.set_faults(false);
  return must_finish_equal(cluster);
}

// The scheduler dies and is there again at once, and does not hear one of the servers, which has a lease of
// its former life.
inline std::string restarted_beside_a_lease(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2;
  options.shape.batches += 100;
  options.lease_ms = 2000;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 5; }, std::chrono::seconds(60));
  world.run_for(std::chrono::milliseconds(static_cast<std::int64_t>(world.rng().below(500))));
  world.partition(cluster.server(seed % 2), cluster.scheduler());
  cluster.crash(cluster.scheduler(), SimWorld::Crash::kProcess);
  cluster.restart(cluster.scheduler());
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(6));
  world.set_faults(false);
  return must_finish_equal(cluster);
}

// A server dies, and while others copy what it held, slowly, one that has the only copies is not heard.
inline std::string only_copy_is_silent(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = 3;
  options.replicas = 2;
  options.shape.batches += 100;
  options.rare.catch_up_rate = 500;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.findings().computed >= 20; }, std::chrono::seconds(60));
  cluster.crash(cluster.server(seed % 3), SimWorld::Crash::kProcess);
  world.run_for(std::chrono::milliseconds(300));
  cluster.restart(cluster.server(seed % 3));
  world.run_for(std::chrono::seconds(3));
  world.partition(cluster.server((seed + 1) % 3), cluster.scheduler());
  watch_owners(
      cluster, [] { return false; }, std::chrono::seconds(4));
  world.set_faults(false);
  return must_finish(cluster, std::chrono::seconds(300));
}

// Some slices hold what is no number.
inline std::string with_refused_slices(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.shape.refuses = true;
  SimCluster cluster(seed, options);
  make_trouble(cluster, TroubleOptions{}, std::chrono::seconds(10));
  return must_finish(cluster, std::chrono::seconds(120));
}

// Servers take in one request at a time.
inline std::string with_busy_servers(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.workers = 3;
  options.shape.partitions = 3;
  options.rare.requests = {1, 1};
  SimCluster cluster(seed, options);
  return must_finish(cluster, std::chrono::seconds(300));
}

// Rows go in their time, on all members.
inline std::string with_rows_that_expire(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, Consistency::kAsync);
  options.servers = options.replicas = 2;
  options.shape.expires = true;
  options.shape.batches += 20;
  SimCluster cluster(seed, options);
  return must_finish_equal(cluster);
}

// The journal's disk fails a sync as a stopped server leaves its chains; then the scheduler loses power and
// the other server dies: the one that was stopped must not lead what it did not see.
inline std::string journal_forgets_who_left(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 2]);
  options.servers = options.replicas = 2;
  options.shape.batches += 200;
  options.sim.network = NetworkOptions{};
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  world.run_until([&] { return cluster.findings().computed >= 5; }, std::chrono::seconds(60));
  SimNode& stopped = cluster.server(seed % 2);
  cluster.scheduler().disk().set_faulty_paths("work/journal");
  cluster.scheduler().disk().fail_next_syncs(1);
  world.pause(stopped, std::chrono::seconds(5));
  world.run_for(std::chrono::milliseconds(4500));
  if (cluster.ended() || !world.up(cluster.scheduler())) return "";
  cluster.crash(cluster.scheduler(), SimWorld::Crash::kPower);
  cluster.restart(cluster.scheduler());
  world.run_for(std::chrono::milliseconds(600));
  // Its shards are where they were, or nowhere any more: to go on without them is what must not be.
  if (!cluster.can_lose(cluster.server(1 - seed % 2))) return must_finish_equal(cluster);
  cluster.crash(cluster.server(1 - seed % 2), SimWorld::Crash::kProcess);
  return must_finish(cluster, std::chrono::seconds(300));
}

// A primary dies.
inline std::string taken_over(std::uint64_t seed) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.servers = options.replicas = 2;
  options.shape.batches += 40;
  SimCluster cluster(seed, options);
  watch_owners(
      cluster, [&] { return cluster.findings().computed >= 5; }, std::chrono::seconds(60));
  cluster.crash(cluster.server(seed % 2), SimWorld::Crash::kProcess);
  return must_finish(cluster, std::chrono::seconds(300));
}

}  // namespace capstan
