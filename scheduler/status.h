// The status page of a running job as JSON; `capstan status` and the progress display read it.
#pragma once

#include <string>

#include "scheduler/job.h"
#include "scheduler/membership.h"
#include "scheduler/peers.h"
#include "scheduler/speed.h"

namespace capstan {

// For the scheduler's own page: the same with every shard's chain, by names, and the job's text.
std::string page_json(const SchedulerOptions& options, const Job& job, const Membership& membership,
                      const Peers& peers, const Speed& speed, Instant now);
std::string status_json(const SchedulerOptions& options, const Job& job, const Membership& membership,
                        const Peers& peers, const Speed& speed, Instant now);

}  // namespace capstan
