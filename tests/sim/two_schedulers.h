// Two schedulers with a store in common, in trouble: the leader dies, stops, is dropped by the store, or does
// not reach it; answers of the store get lost; and everything else happens as in other worlds.
#pragma once

#include <string>

#include "sim/striker.h"
#include "tests/sim/scenario.h"

namespace capstan {

struct LeadTrouble {
  bool drops = false;  // the store lets the leader go before its time: two believe that they lead
  bool checkpoints = false;
  std::uint32_t replicas = 1;
};

// Empty: all is well.
inline std::string led_in_turn(std::uint64_t seed, const LeadTrouble& kind) {
  ClusterOptions options = small_world(seed, kModes[seed % 3]);
  options.schedulers = 2;
  options.replicas = kind.replicas;
  options.servers = std::max(options.servers, kind.replicas);
  options.shape.passes = 3;  // more to write into the journal
  options.shape.batches += options.consistency == Consistency::kSync ? 24 : 10;
  if (kind.checkpoints) options.checkpoint_every_steps = 5 + seed % 20;
  SimCluster cluster(seed, options);
  SimWorld& world = cluster.world();
  const auto below = [&](std::uint64_t most) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(world.rng().below(most)));
  };
  Duration at{0};
  for (int n = 0; n < 12; ++n) {
    at += std::chrono::milliseconds(500) + below(3000);
    const Duration lasts = below(5000);
    const std::uint64_t what = world.rng().below(kind.drops ? 6 : 4);
    const bool anew = world.rng().chance(0.5);
    world.call_after(at, [&cluster, &world, lasts, what, anew] {
      if (cluster.ended()) return;
      SimNode& leader = cluster.scheduler();
      if (what == 0) world.pause(leader, lasts);
      if (what == 1) cluster.store().go_away(lasts, anew);
      if (what == 2 || what == 3) Striker(cluster).crash(leader, anew, lasts);
      if (what > 3) cluster.store().drop_leases();
    });
  }
  TroubleOptions trouble;
  trouble.server_crashes = kind.replicas > 1;
  make_trouble(cluster, trouble, std::chrono::seconds(40));
  return kind.replicas > 1 ? must_finish_equal(cluster) : must_finish_right(cluster, kLongestJob);
}

}  // namespace capstan
