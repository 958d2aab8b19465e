// Transform: one link of a feature's chain. One file each; see registry.h for all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "common/result.h"
#include "worker/data/transforms/values.h"

namespace capstan {

// What a transform may know beside its input. A side table has rows but no events.
struct TransformContext {
  std::span<const std::uint64_t> train;  // rows it may be fitted on, ascending
  std::span<const std::uint32_t> users;  // [rows] of the events; empty when there are none
  std::span<const std::uint32_t> items;
  std::span<const std::int64_t> times;
};

// fit() is called once, before apply(). Both are given one input, or for `cross` one a column.
class Transform {
 public:
  virtual ~Transform() = default;

  // kInvalid says what kind of input is needed.
  virtual Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) = 0;
  // REQUIRES: the inputs that were fitted.
  virtual Result<FeatureValues> apply(std::span<const FeatureValues> inputs,
                                      const TransformContext& context) const = 0;
};

// kInvalid unless there is one input of this kind.
Status expect_one(std::span<const FeatureValues> inputs, ValueKind kind);

// The input's shape and name with no values yet.
FeatureValues like(const FeatureValues& input, ValueKind kind);

// Calls visit(index) for every value of the training rows, in order.
template <typename Visit>
void for_each_train_value(const FeatureValues& values, const TransformContext& context, const Visit& visit) {
  for (const std::uint64_t row : context.train) {
    for (std::uint64_t i = values.begin(row); i < values.end(row); ++i) visit(i);
  }
}

// The numbers of the training rows that are there, ascending.
std::vector<double> sorted_train_numbers(const FeatureValues& values, const TransformContext& context);

// The q-quantile of ascending values, linear between neighbours (type 7 of Hyndman and Fan, Am. Stat. 1996).
// REQUIRES: not empty, q in [0, 1].
double quantile(std::span<const double> sorted, double q);

}  // namespace capstan
