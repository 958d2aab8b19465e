// Faults: what shall befall a simulated cluster, an operator's changes included, as a list drawn from a seed
// before anything happens, so that a part of the list can be left out and the rest stays what it was.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/rng.h"
#include "sim/cluster.h"

namespace capstan {

enum class FaultKind : std::uint8_t {
  kCrashWorker,
  kCrashServer,
  kCrashScheduler,
  kPauseWorker,
  kPauseServer,
  kPauseScheduler,
  kCutWorkerFromServer,
  kCutWorkerFromScheduler,
  kCutServerFromScheduler,
  kCutServers,
  kDiskFull,
  kDiskFailsSyncs,
  kDiskFailsWrites,
  kDiskIsSlow,
  kJournalDiskFull,
  kJournalDiskFails,
  kJournalIsLost,
  kStoreIsAway,
  kStoreDropsLead,
  kAllDie,
  kLastCopyDies,
  kServerJoins,
  kServerIsDrained,
  kFalseStart,
};

struct Fault {
  Duration at{0};     // from the begin of the world
  Duration lasts{0};  // then the node comes back, the cut heals, the disk works
  FaultKind kind{};
  std::uint32_t a = 0, b = 0;  // the worker or the server that it is about; the server it is cut off from
  bool hard = false;           // a crash takes what was not synced; a cut holds both ways
};

struct FaultPlan {
  std::uint32_t servers = 1, workers = 1;
  Duration duration = std::chrono::seconds(60);
  Duration pause_min = std::chrono::milliseconds(50), pause_max = std::chrono::milliseconds(1500);
  Duration lasts_max = std::chrono::milliseconds(4000);
  std::vector<FaultKind> kinds;  // a kind that stands there twice comes twice as often
};

std::vector<Fault> draw_faults(Rng& rng, const FaultPlan& plan);

// "12.345 s: server 1 crashes for 0.8 s, unsynced bytes lost"
std::string to_string(const Fault& fault);

// Lets the faults befall the cluster, until the last is over or the job has ended; then all are off and every
// node runs again. A fault that the job does not promise to bear is left out when its time comes: the last
// holder of a shard is neither lost, nor silenced while another's loss is fresh. Gives how many happened. Two
// servers that serve one shard at a time are a finding of the cluster.
std::uint64_t play(SimCluster& cluster, const std::vector<Fault>& faults);

}  // namespace capstan
