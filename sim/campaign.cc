#include "sim/campaign.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "sim/trouble.h"
#include "sim/verdict.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Consistency kModes[] = {Consistency::kAsync, Consistency::kBounded, Consistency::kSync};
constexpr const char* kModeNames[] = {"async", "bounded", "sync"};
constexpr std::int64_t kTenthApart = 50'000;  // ppm that one clock is fast, and another one slow

// Slow enough that the job outlasts its faults, with some thousand slices.
ClusterOptions world_of(std::uint64_t seed, Rng& rng) {
  ClusterOptions options;
  options.consistency = kModes[seed % 3];
  options.shape.seed = seed;
  options.replicas = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.servers = options.replicas + static_cast<std::uint32_t>(rng.below(2));
  options.workers = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.shape.partitions = 2 + static_cast<std::uint32_t>(rng.below(4));
  options.shape.batches = 320 / options.shape.partitions;
  options.pipeline_depth = 1 + static_cast<std::uint32_t>(rng.below(3));
  options.push_window = 1 + static_cast<std::uint32_t>(rng.below(4));
  options.lease_ms = options.replicas > 1 ? 3000 : 1000;  // a broken connection alone must not cost it
  if (rng.chance(0.6)) options.checkpoint_every_steps = 20 + rng.below(60);
  options.sim.network = unkind_network();
  options.sim.tasks.work_max = milliseconds(60);
  Rng chains(combine(seed, 4712));
  options.shape.dtype = static_cast<Dtype>(mix64(seed) % 3);
  options.shape.evicts = chains.chance(0.4);
  options.shape.dense = chains.chance(0.3);
  options.shape.expires = options.consistency != Consistency::kSync && chains.chance(0.3);
  options.checkpoint_full_every = 1 + static_cast<std::uint32_t>(chains.below(8));
  options.checkpoint_keep = 1 + static_cast<std::uint32_t>(chains.below(4));
  options.pull_copies = options.consistency == Consistency::kBounded && chains.chance(0.5);
  const bool helped = options.consistency == Consistency::kAsync && options.workers > 1;
  if (helped && chains.chance(0.5)) options.slowness = 3 + static_cast<std::uint32_t>(chains.below(5));
  if (chains.chance(0.25)) options.schedulers = 2;
  Rng rare(combine(seed, 4714));
  options.rare = draw_rare_paths(rare, options.consistency, options.schedulers);
  draw_segments(rare, options.consistency, options.shape);
  options.shape.refuses = rare.chance(0.2);
  Rng clocks(combine(seed, 4717));
  if (clocks.chance(0.25)) options.sim.drift_ppm_max = kTenthApart;
  return options;
}

FaultPlan plan_of(const ClusterOptions& options, Rng& rng) {
  FaultPlan plan;
  plan.servers = options.servers;
  plan.workers = options.workers;
  plan.kinds = {FaultKind::kCrashWorker,           FaultKind::kCrashWorker,
                FaultKind::kPauseWorker,           FaultKind::kPauseServer,
                FaultKind::kCutWorkerFromServer,   FaultKind::kCutWorkerFromScheduler,
                FaultKind::kCutServerFromScheduler};
  if (rng.chance(0.5))
    plan.kinds.insert(plan.kinds.end(), {FaultKind::kCrashScheduler, FaultKind::kPauseScheduler});
  if (options.replicas > 1) {
    plan.kinds.insert(plan.kinds.end(),
                      {FaultKind::kCrashServer, FaultKind::kCrashServer, FaultKind::kCutServers});
  }
  if (options.checkpoint_every_steps > 0) {
    plan.kinds.insert(plan.kinds.end(),
                      {FaultKind::kDiskFull, FaultKind::kDiskFailsSyncs, FaultKind::kDiskFailsWrites});
  }
  if (rng.chance(0.4))
    plan.kinds.insert(plan.kinds.end(), {FaultKind::kServerJoins, FaultKind::kServerIsDrained});
  if (options.schedulers == 2) {
    plan.kinds.insert(plan.kinds.end(), {FaultKind::kStoreIsAway, FaultKind::kStoreDropsLead});
  }
  return plan;
}

// What a job bears now and then, each at a moment of its own, in place of what was drawn for it.
void add_rare_ones(std::vector<Fault>& faults, const ClusterOptions& options, Rng& rng) {
  if (faults.empty()) return;
  const auto perhaps = [&](FaultKind kind, double chance) {
    for (int times = 0; times < 2; ++times) {
      if (rng.chance(chance)) faults[rng.below(faults.size())].kind = kind;
    }
  };
  const bool own_journal = options.schedulers < 2;
  if (own_journal) {
    perhaps(FaultKind::kJournalDiskFull, 0.1);
    perhaps(FaultKind::kJournalDiskFails, 0.1);
    perhaps(FaultKind::kJournalIsLost, 0.1);
  }
  if (options.checkpoint_every_steps > 0) perhaps(FaultKind::kAllDie, 0.15);
  if (own_journal) perhaps(FaultKind::kFalseStart, 0.1);
  Rng copies(combine(options.shape.seed, 4714));
  if (options.checkpoint_every_steps == 0 || !copies.chance(0.5)) return;
  for (std::uint64_t times = 1 + copies.below(3); times > 0; --times) {
    faults[copies.below(faults.size())].kind = FaultKind::kLastCopyDies;
  }
}

struct Drawn {
  explicit Drawn(std::uint64_t seed) {
    Rng rng(combine(seed, 4711));
    options = world_of(seed, rng);
    faults = draw_faults(rng, plan_of(options, rng));
    Rng slow(combine(seed, 4713));
    for (Fault& fault : faults) {
      if (fault.kind == FaultKind::kDiskFailsWrites && slow.chance(0.5)) fault.kind = FaultKind::kDiskIsSlow;
    }
    add_rare_ones(faults, options, slow);
  }
  ClusterOptions options;
  std::vector<Fault> faults;
};

std::uint64_t slices_of(const Ledger& ledger) {
  const LedgerShape& shape = ledger.shape();
  std::uint64_t slices = 0;
  for (std::uint32_t pass = 0; pass < shape.passes; ++pass) {
    for (std::uint32_t partition = 0; partition < shape.partitions; ++partition) {
      for (std::uint64_t batch = 0; batch < shape.batches; ++batch) {
        std::vector<std::uint32_t> shards;
        std::vector<Key> keys = ledger.touched({pass, partition, batch});
        if (!keys.empty()) keys.insert(keys.end(), ledger.dense_keys().begin(), ledger.dense_keys().end());
        for (const Key key : keys) shards.push_back(shard_of(key, shape.num_shards));
        std::sort(shards.begin(), shards.end());
        slices += static_cast<std::uint64_t>(std::unique(shards.begin(), shards.end()) - shards.begin());
      }
    }
  }
  return slices;
}

std::string describe(std::uint64_t seed, const ClusterOptions& options) {
  return fmt::format("{}, {}{} servers, {} workers, {} replicas, {} partitions of {}, {}{}",
                     kModeNames[seed % 3], options.schedulers == 2 ? "2 schedulers, " : "", options.servers,
                     options.workers, options.replicas, options.shape.partitions, options.shape.batches,
                     options.checkpoint_every_steps == 0
                         ? std::string("no checkpoints")
                         : fmt::format("a checkpoint every {} steps", options.checkpoint_every_steps),
                     to_string(options.rare) + (options.shape.refuses ? ", some slices are refused" : "") +
                         (options.sim.drift_ppm_max == kTenthApart ? ", clocks a tenth apart" : ""));
}

}  // namespace

CampaignRun run_campaign(std::uint64_t seed) {
  return run_campaign(seed, Drawn(seed).faults);
}

CampaignRun run_campaign(std::uint64_t seed, const std::vector<Fault>& faults) {
  const ClusterOptions options = Drawn(seed).options;
  SimCluster cluster(seed, options);
  CampaignRun run{seed, describe(seed, options), "", faults, 0, slices_of(cluster.ledger()), Duration(0)};
  run.happened = play(cluster, faults);
  run.wrong = must_finish_equal(cluster, seconds(600));
  run.elapsed = cluster.world().elapsed();
  return run;
}

std::vector<Fault> shrink(const CampaignRun& failed, std::uint32_t runs_max) {
  std::vector<Fault> rest = failed.faults;
  std::size_t parts = 2;
  for (std::uint32_t runs = 0; runs < runs_max && rest.size() > 1;) {
    const std::size_t size = (rest.size() + parts - 1) / parts;
    bool smaller = false;
    for (std::size_t from = 0; from < rest.size() && runs < runs_max && !smaller; from += size, ++runs) {
      std::vector<Fault> without = rest;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(from),
                    without.begin() + static_cast<std::ptrdiff_t>(std::min(from + size, rest.size())));
      if (run_campaign(failed.seed, without).wrong.empty()) continue;
      rest = std::move(without);
      parts = std::max<std::size_t>(parts - 1, 2);
      smaller = true;
    }
    if (smaller) continue;
    if (parts >= rest.size()) break;
    parts = std::min(parts * 2, rest.size());
  }
  return rest;
}

}  // namespace capstan
