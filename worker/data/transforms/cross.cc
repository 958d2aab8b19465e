#include "worker/data/transforms/cross.h"

#include <string>

#include "worker/data/transforms/hash.h"

namespace capstan {
namespace {

class Cross final : public Transform {
 public:
  explicit Cross(std::uint64_t buckets) : buckets_(buckets) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext&) override {
    if (inputs.size() < 2) return make_error(ErrorCode::kInvalid, "takes two columns or more");
    for (const auto& input : inputs) {
      if (input.kind != ValueKind::kText || input.is_list()) {
        return make_error(ErrorCode::kInvalid, "needs columns of plain text");
      }
    }
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = buckets_;
    std::string joined;
    for (std::uint64_t row = 0; row < inputs[0].rows(); ++row) {
      joined.clear();
      for (const auto& input : inputs) {
        if (!joined.empty()) joined += kSeparator;
        joined.append(input.name).append("=").append(input.text[row]);
      }
      values.keys.push_back(hashed_key("", joined, buckets_));
    }
    return values;
  }

 private:
  static constexpr char kSeparator = 0x1f;
  std::uint64_t buckets_;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_cross_transform(TransformOptions& options) {
  const std::uint64_t buckets = options.count("buckets", 0, 2);
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Cross>(buckets));
}

}  // namespace capstan
