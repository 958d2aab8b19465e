// The side tables made to fit the events: one row for each user and item, so that cleaning sees what is
// missing.
#pragma once

#include <span>

#include "common/config/job_config.h"
#include "worker/data/bad_lines.h"
#include "worker/data/events.h"
#include "worker/data/sources.h"

namespace capstan {

// Of rows that repeat a user or an item the last counts. Who has none gets one whose columns are all missing,
// marked by the rules' indicators. Both are counted in `drops`.
void complete_side_rows(std::span<const CleanRule> rules, const Events& events, Sources& sources,
                        DropCounts& drops);

}  // namespace capstan
