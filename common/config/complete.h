// Defaults that depend on other settings.
#pragma once

#include "common/config/job_config.h"
#include "common/config/read_context.h"

namespace capstan {

// Fills in what the file leaves open: columns by format, metrics and loss by task, paths by name. Doing it
// again changes nothing.
void complete(JobConfig& job, const ReadContext& context);

}  // namespace capstan
