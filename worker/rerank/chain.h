// RerankChain: the job's steps, one after the other, over one user's ranked items.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "worker/rerank/candidates.h"
#include "worker/rerank/item_similarity.h"
#include "worker/rerank/step.h"

namespace capstan {

// What the steps compare items by, by the name of the items' column: [num_items], see item_categories().
using CategoriesByColumn = std::map<std::string, ItemCategories>;

// What is to be done to every list, as a user asked for it.
struct Reranking {
  std::vector<RerankStep> steps;
  CategoriesByColumn categories;  // of every column that a step names
  std::uint32_t pool = 100;       // the best so many items of a user are what the steps choose from
};

class RerankChain {
 public:
  // `reranking` must outlive the chain.
  RerankChain(const Reranking& reranking, std::uint32_t list_length);

  bool needs_vectors() const { return needs_vectors_; }  // set_vectors() before order()
  void set_vectors(std::span<const float> vectors, std::uint32_t width, std::uint32_t dim);

  // The candidates' items in their new order, all of them: the list first, then the rest as it was. Each step
  // sees the order left by the one before, with the same relevances by place.
  std::vector<std::uint32_t> order(const RerankSetting& setting, const Candidates& candidates) const;

  // By the categories of the first step that has some, else by item vectors.
  double distance_in(std::span<const std::uint32_t> list) const;
  // Of the first step's categories; 0 when no step has any.
  double calibration(std::span<const std::uint32_t> history, std::span<const std::uint32_t> list) const;
  bool has_categories() const { return shown_ != nullptr; }
  std::uint32_t pool() const { return reranking_->pool; }

 private:
  const ItemCategories& categories(const std::string& column) const;
  Choice choose(const RerankStep& step, const Candidates& candidates) const;

  const Reranking* reranking_;
  std::uint32_t list_length_;
  bool needs_vectors_ = false;
  const ItemCategories* shown_ = nullptr;  // of the first step that has categories
  ItemSimilarity of_vectors_;
};

// The best of the pool for one user, as the steps take them, in the order they make of it. items: ascending;
// without steps it is the model's order.
std::vector<std::uint32_t> reranked(const RerankChain& chain, const RerankSetting& setting,
                                    std::span<const std::uint32_t> items, std::span<const float> scores,
                                    std::span<const std::uint32_t> history, std::uint64_t seed);

}  // namespace capstan
