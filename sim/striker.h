// Striker: single faults for the nodes of a simulated cluster, each undone by itself after a while, and the
// watch that is kept meanwhile. Whoever draws the faults decides which and when.
#pragma once

#include "common/rng.h"
#include "sim/cluster.h"

namespace capstan {

// Evenly from least to most, both included.
Duration draw_duration(Rng& rng, Duration least, Duration most);

class Striker {
 public:
  explicit Striker(SimCluster& cluster);

  // Looks for two owners of a shard now and then, which are a finding of the cluster. True: the job has
  // ended.
  bool wait(Duration limit) { return cluster_.run_until_ended(limit); }
  // All faults are off and every node runs again.
  void end();

  // Each gives whether it happened. A node that is down cannot crash; a node is not cut off from itself.
  bool crash(SimNode& node, bool power, Duration lasts);
  bool cut(SimNode& a, SimNode& b, bool both_ways, Duration lasts);

  // One fault at a time is what two replicas bear: a crash and the silence of another server must not fall
  // into one lease, or the scheduler takes the dead one for the one that lives. And the last holder of a
  // shard is not lost, nor taken for lost because servers are silent, one after the other, for the grace.
  bool may_crash_server(const SimNode& server) const;
  bool may_be_silent() const;
  bool crash_server(SimNode& server, bool power, Duration lasts);
  // A server is stopped, or the scheduler does not hear it.
  void silent_for(Duration duration);

 private:
  Duration two_leases() const { return std::chrono::milliseconds(2 * cluster_.options().lease_ms); }

  SimCluster& cluster_;
  SimWorld& world_;
  Duration silent_since_{0}, silent_until_{0};
  Duration crashed_;  // a server, the last time
};

}  // namespace capstan
