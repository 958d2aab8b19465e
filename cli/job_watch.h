// JobWatch: keeps a job's cluster going and shows how far it is, until the job has ended.
#pragma once

#include <string>

#include "cli/held_signals.h"
#include "cli/job_cluster.h"
#include "common/adapters/wire_security.h"

namespace capstan {

struct WatchArgs {
  bool quiet = false;  // no progress
  bool say = true;     // the result, when all went well
  SecurityOptions security;
};

// Whoever is killed or lost is started again, ten times a node, later and later. A signal stops the job with
// a checkpoint, a second one at once. Gives the exit code: 0 when the job ended well. REQUIRES: the cluster
// has started; its scheduler is at `endpoint`. From here on a Ctrl-C is not held any more.
int watch_job(const JobConfig& job, JobCluster& cluster, const std::string& endpoint, HeldSignals& held,
              WatchArgs args);

}  // namespace capstan
