// PagePorts: the ports of this host at which a job's nodes are to serve their pages.
#pragma once

#include <string>

#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

// "HOST:PORT" of the scheduler's page, with those of servers and workers at the ports after it; empty or with
// port 0: nothing to look at. kInvalid: there are too few ports, or one is taken; one that an earlier run's
// node still holds is waited for.
Status check_page_ports(const std::string& first, const ClusterConfig& cluster);

}  // namespace capstan
