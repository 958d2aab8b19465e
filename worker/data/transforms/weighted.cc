#include "worker/data/transforms/weighted.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "common/text.h"

namespace capstan {
namespace {

struct Pair {
  Key index = 0;
  float value = 0.0F;
};

std::optional<Pair> parse_pair(std::string_view token) {
  const std::size_t colon = token.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto index = parse_uint(token.substr(0, colon));
  const auto value = parse_double(token.substr(colon + 1));
  if (!index || !value || !std::isfinite(*value)) return std::nullopt;
  return Pair{*index, static_cast<float>(*value)};
}

class Weighted final : public Transform {
 public:
  explicit Weighted(std::uint64_t buckets) : buckets_(buckets) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kText));
    if (inputs[0].is_list()) return make_error(ErrorCode::kInvalid, "needs one text a row, not a list");
    for_each_train_value(inputs[0], context, [&](std::uint64_t i) {
      for (const auto token : split_text(inputs[0].text[i], " ")) {
        if (const auto pair = parse_pair(token)) limit_ = std::max(limit_, pair->index + 1);
      }
    });
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = buckets_ == 0 ? limit_ : buckets_;
    values.offsets = {0};
    for (const auto text : inputs[0].text) {
      for (const auto token : split_text(text, " ")) {
        if (token.empty()) continue;
        const auto pair = parse_pair(token);
        if (!pair) return make_error(ErrorCode::kInvalid, fmt::format("'{}' is not index:value", token));
        if (buckets_ == 0 && pair->index >= limit_) continue;
        values.keys.push_back(buckets_ == 0 ? pair->index : pair->index % buckets_);
        values.weights.push_back(pair->value);
      }
      values.offsets.push_back(values.keys.size());
    }
    return values;
  }

 private:
  std::uint64_t buckets_;
  std::uint64_t limit_ = 0;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_weighted_transform(TransformOptions& options) {
  const std::uint64_t buckets = options.count("buckets", 0, 2);
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Weighted>(buckets));
}

}  // namespace capstan
