// Exposure: what a whole set of top-k lists does to the catalogue (coverage, Gini) and how unexpected it is
// (novelty).
#pragma once

#include <cstdint>
#include <span>

namespace capstan {

// exposures: of each item in at least one list, how many lists hold it; the other items of the catalogue of
// `num_items` are in none.
double coverage(std::span<const std::uint64_t> exposures, std::uint64_t num_items);  // share of items shown
// 0: all items are shown equally often; towards 1: one item gets everything. 0 when nothing is shown.
// Source: Fleder and Hosanagar, "Blockbuster Culture's Next Rise or Fall" (Management Science 2009).
double gini(std::span<const std::uint64_t> exposures, std::uint64_t num_items);

// Mean self-information of a list in bits: log2(users / users who have the item in train); an item without
// any counts as if one user had it. 0 for an empty list. Source: Zhou et al., "Solving the apparent
// diversity-accuracy dilemma of recommender systems" (PNAS 2010).
double novelty(std::span<const std::uint32_t> list, std::span<const std::uint32_t> item_counts,
               std::uint32_t num_users);

}  // namespace capstan
