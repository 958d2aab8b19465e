// Category caps: no category has more than so many items in a list.
#pragma once

#include <vector>

#include "worker/rerank/candidates.h"
#include "worker/rerank/item_similarity.h"

namespace capstan {

// The candidates in their order, but those of which a category is full already. An item counts in all of its
// categories, one without any is never held back. May choose fewer than the list has places.
Choice choose_capped(const Candidates& candidates, const ItemCategories& categories, std::uint32_t most);

}  // namespace capstan
