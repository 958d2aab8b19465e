// Baseline: a simple recommender that every trained model is held against.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "worker/data/dataset.h"
#include "worker/eval/history.h"
#include "worker/eval/reasons.h"

namespace capstan {

// A score is a sum over the items of a history, so that each item's share of it is known. After fit() all
// calls are thread-safe.
class Baseline {
 public:
  virtual ~Baseline() = default;

  virtual std::string_view name() const = 0;
  // The name with the settings it ended up with: "item_knn (k 20, shrink 10)".
  virtual std::string description() const = 0;
  // Learns from train, or from train and validation. Settings are tuned on validation alone. kInvalid: too
  // many items, or nothing to learn from.
  virtual Status fit(const Dataset& dataset, History history) = 0;
  // out: [num_items], overwritten; seen items get a score like any other. history: ascending.
  virtual void scores(std::span<const std::uint32_t> history, std::span<float> out) const = 0;
  // The history's largest positive contributions to the item's score. Empty where the score has no such
  // reason.
  virtual std::vector<Contribution> reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                            std::size_t most) const = 0;
};

struct BaselineOptions {
  float ease_lambda = 200.0F;
};

// The names of EvaluateConfig::baselines.
std::span<const std::string_view> baseline_names();
// kInvalid for a name that is none of them.
Result<std::unique_ptr<Baseline>> make_baseline(std::string_view name, const BaselineOptions& options);

}  // namespace capstan
