// The report of a job that has ended, as JSON.
#pragma once

#include <string>

#include "common/storage.h"
#include "scheduler/job.h"
#include "scheduler/membership.h"
#include "scheduler/peers.h"

namespace capstan {

std::string report_json(const SchedulerOptions& options, const Job& job, const Membership& membership,
                        const Peers& peers, Instant now);

// Makes the folder when it is not there. `values` goes beside it, where values_path() says, unless it is
// empty.
Status write_report(Storage& storage, const std::string& path, const std::string& json, const Buffer& values);

}  // namespace capstan
