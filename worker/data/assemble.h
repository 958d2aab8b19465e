// Assembling a Dataset from events and fields.
#pragma once

#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/dataset.h"
#include "worker/data/events.h"
#include "worker/data/features.h"

namespace capstan {

// Deals rows out to the splits in the order read, and adds what ranking needs: each user's items by part,
// item counts, names and titles. kInvalid when a user's test item is also among their training items.
Result<Dataset> assemble(Task task, const Sources& sources, const Events& events,
                         std::vector<BuiltField> fields);

}  // namespace capstan
