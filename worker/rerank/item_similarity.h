// ItemSimilarity: how alike two items are, as a cosine of their vectors or of their sets of categories.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace capstan {

// The categories of every item: [num_items], each ascending without repetition.
using ItemCategories = std::vector<std::vector<std::uint32_t>>;

// texts: [num_items], "Action|Comedy"; empty: none. Numbered from 0 in the order of their names.
ItemCategories item_categories(const std::vector<std::string>& texts, char separator = '|');

class ItemSimilarity {
 public:
  // vectors: [num_items, width], of which the first `dim` columns count (the others are biases). A vector of
  // zeros is like no other.
  static ItemSimilarity of_vectors(std::span<const float> vectors, std::uint32_t width, std::uint32_t dim);
  // |A and B| / sqrt(|A| |B|); 0 for an item without categories. `categories` must outlive the result.
  static ItemSimilarity of_categories(const ItemCategories& categories);

  double between(std::uint32_t a, std::uint32_t b) const;  // 1 for an item with itself

 private:
  std::uint32_t dim_ = 0;
  std::vector<float> unit_;  // [num_items, dim_]: of length 1, or 0
  const ItemCategories* categories_ = nullptr;
};

// Mean of 1 - similarity over the pairs of a list; 0 when it has no pair. Source: Ziegler et al., "Improving
// Recommendation Lists Through Topic Diversification" (WWW 2005).
double intra_list_distance(std::span<const std::uint32_t> list, const ItemSimilarity& similarity);

}  // namespace capstan
