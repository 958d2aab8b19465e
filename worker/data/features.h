// Features: the job's feature list worked out over the events and the side tables.
#pragma once

#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/dataset.h"
#include "worker/data/events.h"
#include "worker/data/sources.h"

namespace capstan {

// Columns of every row for one field, before they are dealt out to the splits.
struct BuiltField {
  FieldInfo info;
  FieldColumn column;  // [events], [users] or [items], as info.source says
};

// Ranking and rating jobs begin with the fields "user" and "item": dense indices, tables "user" and "item"
// unless a feature over that column alone says otherwise. Then the job's features; for a CTR job that names
// none, every column. Everything fitted is fitted on the rows (side tables: on the users and items) of the
// training part.
Result<std::vector<BuiltField>> build_features(const JobConfig& job, const Sources& sources,
                                               const Events& events);

}  // namespace capstan
