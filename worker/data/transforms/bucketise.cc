#include "worker/data/transforms/bucketise.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

class Bucketise final : public Transform {
 public:
  Bucketise(std::vector<double> boundaries, std::uint64_t quantiles)
      : boundaries_(std::move(boundaries)), quantiles_(quantiles) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kNumber));
    if (!boundaries_.empty()) return ok_status();
    const auto sorted = sorted_train_numbers(inputs[0], context);
    for (std::uint64_t i = 1; i < quantiles_ && !sorted.empty(); ++i) {
      const double cut = quantile(sorted, static_cast<double>(i) / static_cast<double>(quantiles_));
      if (boundaries_.empty() || cut > boundaries_.back()) boundaries_.push_back(cut);
    }
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = boundaries_.size() + 2;
    for (const double number : inputs[0].numbers) {
      const auto above = std::upper_bound(boundaries_.begin(), boundaries_.end(), number);
      values.keys.push_back(std::isnan(number) ? 0 : static_cast<Key>(above - boundaries_.begin()) + 1);
    }
    return values;
  }

 private:
  std::vector<double> boundaries_;  // ascending
  std::uint64_t quantiles_;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_bucketise_transform(TransformOptions& options) {
  auto boundaries = options.numbers("boundaries");
  const bool both = options.has("boundaries") && options.has("quantiles");
  if (both) options.fail("give boundaries or quantiles, not both");
  const std::uint64_t quantiles = options.count("quantiles", 10, 2);
  if (std::adjacent_find(boundaries.begin(), boundaries.end(), std::greater_equal<>()) != boundaries.end()) {
    options.fail("boundaries must ascend");
  }
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Bucketise>(std::move(boundaries), quantiles));
}

}  // namespace capstan
