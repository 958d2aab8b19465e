// What a scheduler knows of its job, as metrics.
#pragma once

#include "common/metrics.h"
#include "scheduler/job.h"
#include "scheduler/membership.h"
#include "scheduler/peers.h"
#include "scheduler/speed.h"

namespace capstan {

// O(nodes and shards).
void add_job_metrics(const Job& job, const Membership& membership, const Peers& peers, const Speed& speed,
                     Instant now, Metrics& out);

}  // namespace capstan
