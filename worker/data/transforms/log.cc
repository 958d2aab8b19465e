#include "worker/data/transforms/log.h"

#include <cmath>

namespace capstan {
namespace {

class Log1p final : public Transform {
 public:
  Status fit(std::span<const FeatureValues> inputs, const TransformContext&) override {
    return expect_one(inputs, ValueKind::kNumber);
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kNumber);
    values.numbers.reserve(inputs[0].numbers.size());
    for (const double x : inputs[0].numbers)
      values.numbers.push_back(std::copysign(std::log1p(std::abs(x)), x));
    return values;
  }
};

}  // namespace

Result<std::unique_ptr<Transform>> make_log_transform(TransformOptions& options) {
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Log1p>());
}

}  // namespace capstan
