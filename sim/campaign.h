// Campaign: a seed as one whole simulated run: a cluster, a job and its faults, all drawn from the seed, and
// what the checkers say in the end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/faults.h"

namespace capstan {

struct CampaignRun {
  std::uint64_t seed = 0;
  std::string world;          // "sync, 3 servers, 2 workers, 2 replicas, ..."
  std::string wrong;          // empty: every check holds
  std::vector<Fault> faults;  // all that were drawn
  std::uint64_t happened = 0;
  std::uint64_t pushes =
      0;  // acknowledged by the job's end, as the ledger has them: slices of batches that touch rows
  Duration elapsed{0};  // virtual
};

// At least 60 virtual seconds of faults, then peace until the job is done. Checked: all of a worker's pulls
// (see LedgerProgram), one owner of a shard at a time, every row against the ledger, the report's counts,
// sync's model against the calm job's to the bit, the members of a chain byte for byte.
CampaignRun run_campaign(std::uint64_t seed);
// The same world with these faults instead.
CampaignRun run_campaign(std::uint64_t seed, const std::vector<Fault>& faults);

// A part of the faults with which the run still fails, as small as `runs_max` tries find it. Source: Zeller
// and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing Input", the ddmin algorithm.
std::vector<Fault> shrink(const CampaignRun& failed, std::uint32_t runs_max = 200);

}  // namespace capstan
