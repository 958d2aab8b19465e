// Rows that leave for what other rows say: duplicates, and training rows that the test files hold too.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "worker/data/events.h"
#include "worker/data/sources.h"

namespace capstan {

// Takes rows out of the raw table, its origins and the events alike. parts must not be assigned yet.
void keep_rows(const std::vector<bool>& keep, Sources& sources, Events& events);

// Of rows of the same file list that are equal in `columns` the last by time stays; of equal times, or
// without times, the last line. kInvalid names a column that is not there.
Status drop_duplicates(const std::vector<std::string>& columns, Sources& sources, Events& events,
                       DropCounts& drops);

// Training rows whose (user, item) is also a row of the test files leave. kInvalid without users or items.
Status exclude_test_rows(Sources& sources, Events& events, DropCounts& drops);

}  // namespace capstan
