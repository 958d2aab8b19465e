#include "worker/data/transforms/minmax.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

class Minmax final : public Transform {
 public:
  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kNumber));
    const auto sorted = sorted_train_numbers(inputs[0], context);
    if (sorted.empty()) return ok_status();
    min_ = sorted.front();
    if (sorted.front() < sorted.back()) scale_ = 1.0 / (sorted.back() - sorted.front());
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kNumber);
    values.numbers.reserve(inputs[0].numbers.size());
    for (const double x : inputs[0].numbers) {
      values.numbers.push_back(std::isnan(x) ? kMissing : std::clamp((x - min_) * scale_, 0.0, 1.0));
    }
    return values;
  }

 private:
  double min_ = 0.0, scale_ = 0.0;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_minmax_transform(TransformOptions& options) {
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Minmax>());
}

}  // namespace capstan
