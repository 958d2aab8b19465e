// Verdict: after the faults the job must end, and what it leaves must be exactly what the ledger says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/cluster.h"

namespace capstan {

inline constexpr Duration kLongestJob = std::chrono::seconds(300);

// Each gives what is wrong, in words; empty: nothing. `limit` is virtual.

// The job ends well within the limit, no process gave up, no pull was wrong, no shard had two owners, every
// row is the ledger's, and the report counts each acknowledged slice as applied once.
std::string must_finish(SimCluster& cluster, Duration limit);
// Also the model of a sync job is the same to the bit as without trouble, with one server and one worker.
std::string must_finish_right(SimCluster& cluster, Duration limit);
// Also all members of a chain hold the same bytes.
std::string must_finish_equal(SimCluster& cluster, Duration limit = kLongestJob);

}  // namespace capstan
