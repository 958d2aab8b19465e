// Neighbours: for each item the items most like it, by the users they share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker/data/dataset.h"

namespace capstan {

struct Neighbour {
  std::uint32_t item = 0;
  float similarity = 0.0F;
};

// One run of neighbours an item: all[offsets[i] .. offsets[i+1]).
struct NeighbourLists {
  std::vector<std::uint64_t> offsets;  // [num_items + 1]
  std::vector<Neighbour> all;

  std::span<const Neighbour> of(std::uint32_t item) const {
    return std::span(all).subspan(offsets[item], offsets[item + 1] - offsets[item]);
  }
};

// similarity(i, j) = users of both / (sqrt(users of i · users of j) + shrink). Each list holds the `most`
// most similar items that share a user, most similar first, equal ones by item; never the item itself. Runs
// in the caller's TBB arena. Source: Sarwar et al., "Item-based collaborative filtering recommendation
// algorithms" (WWW 2001); the shrink term after Bell and Koren, "Improved neighborhood-based collaborative
// filtering" (KDD Cup 2007).
NeighbourLists most_similar(const UserItems& history, std::uint32_t num_users, std::uint32_t num_items,
                            float shrink, std::uint32_t most);

// Turned round: for each item i the items j that have i among their first `most` neighbours, ascending.
NeighbourLists turned_round(const NeighbourLists& lists, std::uint32_t most);

}  // namespace capstan
