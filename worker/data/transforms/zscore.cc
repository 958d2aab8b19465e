#include "worker/data/transforms/zscore.h"

#include <cmath>

namespace capstan {
namespace {

class Zscore final : public Transform {
 public:
  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kNumber));
    const auto sorted = sorted_train_numbers(inputs[0], context);
    if (sorted.empty()) return ok_status();
    const auto n = static_cast<double>(sorted.size());
    double sum = 0.0;
    for (const double x : sorted) sum += x;
    mean_ = sum / n;
    double squares = 0.0;
    for (const double x : sorted) squares += (x - mean_) * (x - mean_);
    if (sorted.front() < sorted.back()) scale_ = 1.0 / std::sqrt(squares / n);
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kNumber);
    values.numbers.reserve(inputs[0].numbers.size());
    for (const double x : inputs[0].numbers) values.numbers.push_back((x - mean_) * scale_);
    return values;
  }

 private:
  double mean_ = 0.0, scale_ = 0.0;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_zscore_transform(TransformOptions& options) {
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Zscore>());
}

}  // namespace capstan
