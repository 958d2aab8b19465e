// Most popular: everybody gets the items that most users have.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "worker/baselines/baseline.h"

namespace capstan {

class MostPopular final : public Baseline {
 public:
  std::string_view name() const override { return "most_popular"; }
  std::string description() const override { return "most_popular"; }
  Status fit(const Dataset& dataset, History history) override;
  void scores(std::span<const std::uint32_t> history, std::span<float> out) const override;
  std::vector<Contribution> reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                    std::size_t most) const override;

 private:
  std::vector<float> counts_;  // [num_items]
};

}  // namespace capstan
