// Reasons: which items of a user's history brought a recommendation its score, and by how much.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace capstan {

// One history item's share of a score that is a sum over the history: without the item, the score is lower by
// it.
struct Contribution {
  std::uint32_t item = 0;
  double value = 0.0;
};

// The largest `most` positive contributions, largest first; equal ones by item.
std::vector<Contribution> top_contributions(std::vector<Contribution> all, std::size_t most);

// "because of Fargo (1996) (+0.41) and Heat (1995) (+0.22)". titles: [num_items]. Without
// contributions it says so, and how many train users have the item.
std::string reason_line(std::span<const Contribution> reasons, std::span<const std::string> titles,
                        std::uint64_t train_users);

}  // namespace capstan
