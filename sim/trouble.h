// Trouble: what befalls a simulated cluster while it trains, drawn from the world's seed.
#pragma once

#include "sim/cluster.h"

namespace capstan {

struct TroubleOptions {
  Duration pause_min = std::chrono::milliseconds(20);  // between two events
  Duration pause_max = std::chrono::milliseconds(800);
  Duration down_max = std::chrono::milliseconds(2500);  // how long a crash, pause or partition lasts
  bool worker_crashes = true;
  bool scheduler_crashes = false;
  bool pauses = true;
  bool partitions = true;
  bool server_crashes = false;  // only of servers that can be lost; and cuts between servers
};

// Messages slow, lost, twice, out of order, refused; connections broken.
NetworkOptions unkind_network();

// Crashes, pauses and cuts off nodes for `duration`, or until the job has ended. Then faults are off and
// every node runs again.
void make_trouble(SimCluster& cluster, const TroubleOptions& options, Duration duration);

}  // namespace capstan
