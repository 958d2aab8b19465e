// Calibrated lists: categories in a list stand in the same shares as in the user's history.
#pragma once

#include <map>
#include <vector>

#include "worker/rerank/candidates.h"
#include "worker/rerank/item_similarity.h"

namespace capstan {

using Shares = std::map<std::uint32_t, double>;  // of categories; they sum to 1, or there are none

// Each item counts once and deals its weight evenly to its categories; items without any do not count.
Shares category_shares(std::span<const std::uint32_t> items, const ItemCategories& categories);

// KL divergence of the list's shares q from the history's p, with q smoothed to .99 q + .01 p so that it
// stays finite: 0 when they are equal, at most log 100 (q then has nothing of p). 0 without a history.
double calibration_distance(const Shares& history, const Shares& list);

// Greedy: the next item is the one with which  weight · sum of relevance - (1 - weight) · divergence  is
// largest. Source: Steck, "Calibrated Recommendations" (RecSys 2018), equations 2 to 7.
Choice choose_calibrated(const Candidates& candidates, const ItemCategories& categories, double weight);

}  // namespace capstan
