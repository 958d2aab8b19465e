// The text of a column of the users or items, as their side files have it, for what is asked of a finished
// job: categories of items, groups of users. The job need not have named the column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/data/dataset.h"

namespace capstan {

// [num_users] or [num_items], by the dataset's index; empty for who has no row. From data.users or
// data.items; with `format: movielens` from the folder's own files (u.item, u.user; movies.dat, users.dat).
// kInvalid names the columns there are.
Result<std::vector<std::string>> user_column(const JobConfig& job, const Dataset& data,
                                             std::string_view column);
Result<std::vector<std::string>> item_column(const JobConfig& job, const Dataset& data,
                                             std::string_view column);

}  // namespace capstan
