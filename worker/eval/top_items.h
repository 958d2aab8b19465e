// The k best items by score, with every item that a tie could bring among them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace capstan {

struct TopItems {
  // Best first, ties in a seeded random order: the first `list_size` are a list to show. All items that tie
  // with the last of them follow, in no order.
  std::vector<std::uint32_t> items;
  std::vector<float> scores;  // beside items
  std::size_t list_size = 0;  // min(k, items given)
};

// scores[i] belongs to items[i]. REQUIRES: no NaN.
TopItems top_items(std::span<const std::uint32_t> items, std::span<const float> scores, std::uint32_t k,
                   std::uint64_t tie_seed);

}  // namespace capstan
