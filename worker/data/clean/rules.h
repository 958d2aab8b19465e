// Cleaning by columns: the job's rules and those that its features imply.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/bad_lines.h"
#include "worker/data/events.h"
#include "worker/data/sources.h"

namespace capstan {

// The job's rules, and for every column whose feature chain begins with numbers a rule that it must be
// numeric. kInvalid when a rule asks for numbers (min, max, mean, median, clip) of a column of type string,
// or its values are out of order.
Result<std::vector<CleanRule>> effective_rules(const JobConfig& job);

// Checks required, type, min and max in events and side tables: lines that fail are bad lines and leave. Rows
// that lack a value under `missing: drop` leave too, counted in `drops`. Adds the NAME_missing columns.
// kInvalid names a rule's column that no table has.
Status clean_rows(std::span<const CleanRule> rules, Sources& sources, BadLines& bad, DropCounts& drops);

// Clips to quantiles, then fills missing values; quantiles are those of the training rows (side tables: of
// the rows whose user or item is trained on), means and medians those of the clipped training rows.
Status fill_and_clip(std::span<const CleanRule> rules, const Events& events, Sources& sources,
                     DropCounts& drops);

}  // namespace capstan
