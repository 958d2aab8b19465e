// Item-kNN: an item scores by how like it the user's history is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "worker/baselines/baseline.h"
#include "worker/baselines/neighbours.h"

namespace capstan {

struct ItemKnnSettings {
  std::uint32_t k = 100;
  float shrink = 10.0F;
};

// score(j) = sum of similarity(j, i) over those items i of the history that are among the k nearest to j.
class ItemKnn final : public Baseline {
 public:
  // Settings to be tuned when fit() sees a validation split, by NDCG@10 over k in {20, 100, 1000} and shrink
  // in {0, 10, 100}; without one, ItemKnnSettings' defaults.
  ItemKnn() = default;
  explicit ItemKnn(ItemKnnSettings settings) : given_(settings), settings_(settings) {}

  std::string_view name() const override { return "item_knn"; }
  std::string description() const override;
  Status fit(const Dataset& dataset, History history) override;
  void scores(std::span<const std::uint32_t> history, std::span<float> out) const override;
  std::vector<Contribution> reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                    std::size_t most) const override;
  const ItemKnnSettings& settings() const { return settings_; }

 private:
  std::optional<ItemKnnSettings> given_;
  ItemKnnSettings settings_;
  NeighbourLists lends_to_;  // for each history item, whom it adds to: turned_round(most_similar(...))
};

// Fits on train and judges on validation, nothing else. kInvalid when there is no validation split.
Result<ItemKnnSettings> tune_item_knn(const Dataset& dataset);

}  // namespace capstan
