// EASE: the best linear model from items to items, in closed form.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "worker/baselines/baseline.h"

namespace capstan {

// score(j) = sum over i of the history of B(i, j), where B = I - P · diag(1 / P(j, j)), P = (X'X + lambda
// I)^-1 and X is the 0/1 matrix of users and items. An item without any user scores 0, as in the formula.
// Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019), equation 8.
class Ease final : public Baseline {
 public:
  // Items with at least one user that fit() takes: at 20,000 it needs about 5 GB while it runs and 1.6 GB
  // after.
  static constexpr std::uint32_t kMostItems = 20000;

  explicit Ease(float lambda) : lambda_(lambda) {}

  std::string_view name() const override { return "ease"; }
  std::string description() const override;
  Status fit(const Dataset& dataset, History history) override;
  void scores(std::span<const std::uint32_t> history, std::span<float> out) const override;
  std::vector<Contribution> reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                    std::size_t most) const override;

 private:
  static constexpr std::uint32_t kInactive = 0xffffffffU;

  float lambda_;
  std::vector<std::uint32_t> active_;  // items with a user, ascending
  std::vector<std::uint32_t> place_;   // [num_items]: index in active_, or kInactive
  std::vector<float> weights_;         // B: [active, active]
};

}  // namespace capstan
