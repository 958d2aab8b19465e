#include "sim/faults.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/units.h"
#include "scheduler/placement.h"
#include "sim/striker.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;

class Player {
 public:
  explicit Player(SimCluster& cluster) : cluster_(cluster), world_(cluster.world()), striker_(cluster) {}

  std::uint64_t run(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
      if (striker_.wait(fault.at - world_.elapsed())) break;
      if (happens(fault)) ++happened_;
      over_ = std::max(over_, fault.at + fault.lasts);
    }
    striker_.wait(over_ - world_.elapsed());
    works(disk());
    cluster_.slow_disks(Duration(0));
    striker_.end();
    return happened_;
  }

 private:
  SimNode& worker(std::uint32_t n) { return cluster_.worker(n); }
  SimNode& server(std::uint32_t n) { return cluster_.server(n); }
  SimDisk& disk() { return cluster_.scheduler().disk(); }

  bool crash(SimNode& node, const Fault& fault) { return striker_.crash(node, fault.hard, fault.lasts); }
  bool pause(SimNode& node, const Fault& fault) {
    if (!world_.up(node)) return false;
    world_.pause(node, fault.lasts);
    return true;
  }
  bool cut(SimNode& a, SimNode& b, const Fault& fault) { return striker_.cut(a, b, fault.hard, fault.lasts); }
  bool silence(bool happened, const Fault& fault) {
    if (happened) striker_.silent_for(fault.lasts);
    return happened;
  }

  bool disk_fails(const Fault& fault, const char* part) {
    works(disk());
    disk().set_faulty_paths(part);
    if (fault.kind == FaultKind::kDiskFull || fault.kind == FaultKind::kJournalDiskFull)
      disk().set_capacity(0);
    if (fault.kind == FaultKind::kDiskFailsSyncs) disk().fail_next_syncs(1000);
    if (fault.kind == FaultKind::kDiskFailsWrites) disk().fail_next_writes(1000);
    if (fault.kind == FaultKind::kJournalDiskFails) {
      fault.hard ? disk().fail_next_syncs(1) : disk().fail_next_writes(1000);
    }
    world_.call_after(fault.lasts, [this_disk = &disk()] { works(*this_disk); });
    return true;
  }
  bool disk_is_slow(const Fault& fault) {
    constexpr Duration kTaskMost = std::chrono::seconds(2);
    cluster_.slow_disks(kTaskMost);
    world_.call_after(fault.lasts, [&cluster = cluster_] { cluster.slow_disks(Duration(0)); });
    return true;
  }
  static void works(SimDisk& disk) {
    disk.set_capacity(~std::uint64_t{0});
    disk.fail_next_syncs(0);
    disk.fail_next_writes(0);
    disk.rot_next_reads(0);
  }
  bool store_is_away(const Fault& fault) {
    cluster_.store().go_away(fault.lasts, fault.hard);
    return true;
  }
  bool store_drops_lead() {
    cluster_.store().drop_leases();
    return true;
  }

  // A scheduler that does not know its job must hear of it from those who do, before others make up the
  // number that a new job begins with.
  bool may_be_silent() const { return striker_.may_be_silent() && !cluster_.starts_falsely(); }

  // The servers can tell all that the journal did: none of their rows wait for a checkpoint.
  bool may_rebuild() const {
    const auto process = cluster_.scheduler_process();
    if (process == nullptr || process->job().ended() || process->job().map().empty()) return false;
    const JobState state = process->job().facts().state;
    const bool restored = state == JobState::kRunning || state == JobState::kValidating;
    return restored && cluster_.has_all_rows();
  }
  // The scheduler dies at once, and another one asks the servers.
  bool journal_is_lost() {
    if (!may_rebuild()) return false;
    cluster_.rebuild_without_journal();
    return true;
  }
  // The same, but whoever starts it does not know.
  bool false_start(const Fault& fault) {
    if (!may_rebuild()) return false;
    cluster_.start_without_journal(fault.hard ? StartMode::kNew : StartMode::kRecover);
    return true;
  }
  // Everybody loses power, and others go on from the last checkpoint; perhaps it reads as it was not written,
  // and the one before is whole.
  bool all_die(const Fault& fault) {
    auto process = cluster_.scheduler_process();
    if (process == nullptr || process->job().ended()) return false;
    const std::vector<CheckpointFact>& kept = process->job().facts().checkpoints;
    if (kept.empty()) return false;
    works(disk());
    if (fault.hard && kept.size() > 1) {
      const bool alone = kept.back().builds_on == 0 && kept[kept.size() - 2].builds_on == 0;
      disk().set_faulty_paths(alone ? ".rows" : "MANIFEST");
      disk().rot_next_reads(1);
    }
    process.reset();
    cluster_.crash_all_and_resume(cluster_.options().servers, cluster_.options().workers);
    return true;
  }

  // All members of one shard's chain at once: the scheduler has a checkpoint to go back to.
  bool last_copy_dies(const Fault& fault) {
    const auto process = cluster_.scheduler_process();
    if (process == nullptr || !process->job().may_go_back()) return false;
    const auto& entries = process->job().map().entries();
    std::vector<SimNode*> members;
    for (std::uint32_t n = 0; n < cluster_.options().servers; ++n) {
      const Node* known = process->membership().find("ps-" + std::to_string(n));
      const auto& chain = entries[fault.a % entries.size()].chain;
      if (known != nullptr && holds(chain, known->id)) members.push_back(&server(n));
    }
    bool any = false;
    for (SimNode* member : members) any = crash(*member, fault) || any;
    return any;
  }

  bool happens(const Fault& fault) {
    switch (fault.kind) {
      case FaultKind::kCrashWorker:
        return crash(worker(fault.a), fault);
      case FaultKind::kCrashServer:
        return striker_.crash_server(server(fault.a), fault.hard, fault.lasts);
      case FaultKind::kCrashScheduler:
        return crash(cluster_.scheduler(), fault);
      case FaultKind::kPauseWorker:
        return pause(worker(fault.a), fault);
      case FaultKind::kPauseServer:
        return may_be_silent() && silence(pause(server(fault.a), fault), fault);
      case FaultKind::kPauseScheduler:
        return pause(cluster_.scheduler(), fault);
      case FaultKind::kCutWorkerFromServer:
        return cut(worker(fault.a), server(fault.b), fault);
      case FaultKind::kCutWorkerFromScheduler:
        return cut(worker(fault.a), cluster_.scheduler(), fault);
      case FaultKind::kCutServerFromScheduler:
        return may_be_silent() && silence(cut(server(fault.a), cluster_.scheduler(), fault), fault);
      case FaultKind::kCutServers:  // shards may have one copy until it is over
        return may_be_silent() && silence(cut(server(fault.a), server(fault.b), fault), fault);
      case FaultKind::kDiskFull:
      case FaultKind::kDiskFailsSyncs:
      case FaultKind::kDiskFailsWrites:
        return disk_fails(fault, ".rows");
      case FaultKind::kJournalDiskFull:
      case FaultKind::kJournalDiskFails:
        return disk_fails(fault, "work/journal");
      case FaultKind::kDiskIsSlow:
        return disk_is_slow(fault);
      case FaultKind::kJournalIsLost:
        return journal_is_lost();
      case FaultKind::kStoreIsAway:
        return store_is_away(fault);
      case FaultKind::kStoreDropsLead:
        return store_drops_lead();
      case FaultKind::kAllDie:
        return all_die(fault);
      case FaultKind::kLastCopyDies:
        return last_copy_dies(fault);
      case FaultKind::kServerJoins:
        return join();
      case FaultKind::kServerIsDrained:
        return cluster_.drain(server(fault.a));
      case FaultKind::kFalseStart:
        return false_start(fault);
    }
    return false;
  }

  bool join() {
    constexpr std::uint32_t kJoinMost = 2;
    if (joined_ == kJoinMost || cluster_.starts_falsely()) return false;
    ++joined_;
    cluster_.add_server();
    return true;
  }

  SimCluster& cluster_;
  SimWorld& world_;
  Striker striker_;
  Duration over_{0};
  std::uint64_t happened_ = 0;
  std::uint32_t joined_ = 0;
};

bool of_workers(FaultKind kind) {
  return kind == FaultKind::kCrashWorker || kind == FaultKind::kPauseWorker ||
         kind == FaultKind::kCutWorkerFromServer || kind == FaultKind::kCutWorkerFromScheduler;
}

}  // namespace

std::vector<Fault> draw_faults(Rng& rng, const FaultPlan& plan) {
  const auto between = [&](Duration least, Duration most) { return draw_duration(rng, least, most); };
  std::vector<Fault> faults;
  for (Duration at = between(plan.pause_min, plan.pause_max); at < plan.duration;
       at += between(plan.pause_min, plan.pause_max)) {
    Fault fault;
    fault.at = at;
    fault.lasts = between(milliseconds(1), plan.lasts_max);
    fault.kind = plan.kinds[rng.below(plan.kinds.size())];
    fault.a = static_cast<std::uint32_t>(rng.below(of_workers(fault.kind) ? plan.workers : plan.servers));
    fault.b = static_cast<std::uint32_t>(rng.below(plan.servers));
    fault.hard = rng.chance(0.5);
    const bool of_itself = fault.kind == FaultKind::kCutServers && fault.a == fault.b;
    if (of_itself) fault.b = (fault.b + 1) % plan.servers;
    faults.push_back(fault);
  }
  return faults;
}

std::string to_string(const Fault& fault) {
  const auto what = [&]() -> std::string {
    const char* ways = fault.hard ? "" : " one way";
    const char* bytes = fault.hard ? ", unsynced bytes lost" : "";
    switch (fault.kind) {
      case FaultKind::kCrashWorker:
        return fmt::format("worker {} crashes", fault.a);
      case FaultKind::kCrashServer:
        return fmt::format("server {} crashes{}", fault.a, bytes);
      case FaultKind::kCrashScheduler:
        return fmt::format("the scheduler crashes{}", bytes);
      case FaultKind::kPauseWorker:
        return fmt::format("worker {} stops", fault.a);
      case FaultKind::kPauseServer:
        return fmt::format("server {} stops", fault.a);
      case FaultKind::kPauseScheduler:
        return "the scheduler stops";
      case FaultKind::kCutWorkerFromServer:
        return fmt::format("worker {} and server {} are cut off{}", fault.a, fault.b, ways);
      case FaultKind::kCutWorkerFromScheduler:
        return fmt::format("worker {} and the scheduler are cut off{}", fault.a, ways);
      case FaultKind::kCutServerFromScheduler:
        return fmt::format("server {} and the scheduler are cut off{}", fault.a, ways);
      case FaultKind::kCutServers:
        return fmt::format("servers {} and {} are cut off{}", fault.a, fault.b, ways);
      case FaultKind::kDiskFull:
        return "the disk is full for rows";
      case FaultKind::kDiskFailsSyncs:
        return "the disk fails syncs of rows";
      case FaultKind::kDiskFailsWrites:
        return "the disk fails writes of rows";
      case FaultKind::kDiskIsSlow:
        return "the servers' disks are slow";
      case FaultKind::kJournalDiskFull:
        return "the journal's disk is full";
      case FaultKind::kJournalDiskFails:
        return fmt::format("the journal's disk fails {}", fault.hard ? "a sync" : "writes");
      case FaultKind::kJournalIsLost:
        return "the scheduler dies and its journal is lost";
      case FaultKind::kStoreIsAway:
        return fmt::format("the schedulers' store is away{}", fault.hard ? ", leases begin anew" : "");
      case FaultKind::kStoreDropsLead:
        return "the schedulers' store drops the lead";
      case FaultKind::kAllDie:
        return fmt::format("all die and go on from the last checkpoint{}",
                           fault.hard ? ", of which a bit has rotted" : "");
      case FaultKind::kLastCopyDies:
        return "all copies of a shard are lost";
      case FaultKind::kServerJoins:
        return "a server joins";
      case FaultKind::kServerIsDrained:
        return fmt::format("server {} is drained", fault.a);
      case FaultKind::kFalseStart:
        return fmt::format("the scheduler dies, its journal is lost, and it is started {}",
                           fault.hard ? "anew" : "with --recover");
    }
    return "?";
  };
  return fmt::format("{:.3f} s, for {:.3f} s: {}", seconds_of(fault.at), seconds_of(fault.lasts), what());
}

std::uint64_t play(SimCluster& cluster, const std::vector<Fault>& faults) {
  return Player(cluster).run(faults);
}

}  // namespace capstan
