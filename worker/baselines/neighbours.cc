#include "worker/baselines/neighbours.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "common/parallel.h"
#include "worker/eval/history.h"

namespace capstan {
namespace {

constexpr std::uint32_t kItemsEach = 64;  // judged with the same memory

// The users of each item: users[offsets[i] .. offsets[i+1]), ascending.
struct ItemUsers {
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> users;

  std::span<const std::uint32_t> of(std::uint32_t item) const {
    return std::span(users).subspan(offsets[item], offsets[item + 1] - offsets[item]);
  }
};

ItemUsers users_of_items(const UserItems& history, std::uint32_t num_users, std::uint32_t num_items) {
  ItemUsers index;
  index.offsets.assign(num_items + 1ULL, 0);
  for (std::uint32_t user = 0; user < num_users; ++user) {
    for (const std::uint32_t item : items_of(history, user)) ++index.offsets[item + 1ULL];
  }
  for (std::size_t item = 0; item < num_items; ++item) index.offsets[item + 1] += index.offsets[item];
  index.users.resize(index.offsets.back());
  std::vector<std::uint64_t> next(index.offsets.begin(), index.offsets.end() - 1);
  for (std::uint32_t user = 0; user < num_users; ++user) {
    for (const std::uint32_t item : items_of(history, user)) index.users[next[item]++] = user;
  }
  return index;
}

// Counts of one item's companions; what is touched is put back to 0 after use.
struct Companions {
  std::vector<std::uint32_t> counts;  // [num_items]
  std::vector<std::uint32_t> touched;
};

// A neighbour as one number: the larger, the more similar, equal ones the smaller item first. Similarities
// are not negative, so their bits are in their order.
std::uint64_t rank_of(float similarity, std::uint32_t item) {
  return std::uint64_t{std::bit_cast<std::uint32_t>(similarity)} << 32 | (0xffffffffU - item);
}
Neighbour neighbour_of(std::uint64_t rank) {
  return {0xffffffffU - static_cast<std::uint32_t>(rank),
          std::bit_cast<float>(static_cast<std::uint32_t>(rank >> 32))};
}

std::vector<Neighbour> neighbours_of(std::uint32_t item, const UserItems& history, const ItemUsers& index,
                                     float shrink, std::size_t most, Companions& companions) {
  for (const std::uint32_t user : index.of(item)) {
    for (const std::uint32_t other : items_of(history, user)) {
      if (companions.counts[other]++ == 0) companions.touched.push_back(other);
    }
  }
  std::vector<std::uint64_t> ranks;
  ranks.reserve(companions.touched.size());
  const double own = static_cast<double>(index.of(item).size());
  for (const std::uint32_t other : companions.touched) {
    const double shared = companions.counts[other];
    companions.counts[other] = 0;
    if (other == item) continue;
    const double others = static_cast<double>(index.of(other).size());
    ranks.push_back(rank_of(static_cast<float>(shared / (std::sqrt(own * others) + double{shrink})), other));
  }
  companions.touched.clear();
  if (most < ranks.size()) {
    std::nth_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(most), ranks.end(),
                     std::greater<>());
    ranks.resize(most);
  }
  std::sort(ranks.begin(), ranks.end(), std::greater<>());
  std::vector<Neighbour> neighbours(ranks.size());
  std::transform(ranks.begin(), ranks.end(), neighbours.begin(), neighbour_of);
  return neighbours;
}

}  // namespace

NeighbourLists most_similar(const UserItems& history, std::uint32_t num_users, std::uint32_t num_items,
                            float shrink, std::uint32_t most) {
  const ItemUsers index = users_of_items(history, num_users, num_items);
  std::vector<std::vector<Neighbour>> found(num_items);
  parallel_for((num_items + kItemsEach - 1) / kItemsEach, [&](std::size_t block) {
    Companions companions{std::vector<std::uint32_t>(num_items, 0), {}};
    const auto first = static_cast<std::uint32_t>(block) * kItemsEach;
    for (std::uint32_t item = first; item < std::min(num_items, first + kItemsEach); ++item) {
      found[item] = neighbours_of(item, history, index, shrink, most, companions);
    }
  });
  NeighbourLists lists;
  lists.offsets.push_back(0);
  for (const auto& neighbours : found) lists.offsets.push_back(lists.offsets.back() + neighbours.size());
  lists.all.reserve(lists.offsets.back());
  for (const auto& neighbours : found)
    lists.all.insert(lists.all.end(), neighbours.begin(), neighbours.end());
  return lists;
}

NeighbourLists turned_round(const NeighbourLists& lists, std::uint32_t most) {
  const std::size_t num_items = lists.offsets.size() - 1;
  const auto first_of = [&](std::size_t item) {
    const auto all = lists.of(static_cast<std::uint32_t>(item));
    return all.first(std::min<std::size_t>(most, all.size()));
  };
  NeighbourLists turned;
  turned.offsets.assign(num_items + 1, 0);
  for (std::size_t item = 0; item < num_items; ++item) {
    for (const Neighbour& neighbour : first_of(item)) ++turned.offsets[neighbour.item + 1ULL];
  }
  for (std::size_t item = 0; item < num_items; ++item) turned.offsets[item + 1] += turned.offsets[item];
  turned.all.resize(turned.offsets.back());
  std::vector<std::uint64_t> next(turned.offsets.begin(), turned.offsets.end() - 1);
  for (std::size_t item = 0; item < num_items; ++item) {
    for (const Neighbour& neighbour : first_of(item)) {
      turned.all[next[neighbour.item]++] = {static_cast<std::uint32_t>(item), neighbour.similarity};
    }
  }
  return turned;
}

}  // namespace capstan
