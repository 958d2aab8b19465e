// Given negatives for sampled evaluation, in the form published with NCF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "worker/data/bad_lines.h"
#include "worker/data/dataset.h"
#include "worker/data/events.h"

namespace capstan {

// Lines `(user,item)<tab>negative<tab>negative…`. Ids are those of the raw data or, with as_indices, dense
// indices. A candidate that is one of the user's own test items is left out. Gives [users][candidates] in the
// file's order; a line with an id that the events lack, or about an item that is not the user's test item, is
// a bad line. kInvalid when a user has two lines, or test items and no candidates.
Result<std::vector<std::vector<std::uint32_t>>> read_candidates(const std::string& path, bool as_indices,
                                                                const Events& events,
                                                                const UserItems& test_items, BadLines& bad);

}  // namespace capstan
