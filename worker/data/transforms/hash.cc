#include "worker/data/transforms/hash.h"

#include <optional>
#include <string>

namespace capstan {
namespace {

class Hash final : public Transform {
 public:
  Hash(std::optional<std::string> name, std::uint64_t buckets) : name_(std::move(name)), buckets_(buckets) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext&) override {
    return expect_one(inputs, ValueKind::kText);
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = buckets_;
    values.keys.reserve(inputs[0].text.size());
    const std::string_view name = name_ ? std::string_view(*name_) : inputs[0].name;
    for (const auto text : inputs[0].text) values.keys.push_back(hashed_key(name, text, buckets_));
    return values;
  }

 private:
  std::optional<std::string> name_;
  std::uint64_t buckets_;
};

}  // namespace

Key hashed_key(std::string_view name, std::string_view value, std::uint64_t buckets) {
  std::string joined;
  if (!name.empty()) {
    joined.reserve(name.size() + 1 + value.size());
    joined += name;
    joined += '=';
    joined += value;
    value = joined;
  }
  const Key key = hash_string(value);
  return buckets == 0 ? key : key % buckets;
}

Result<std::unique_ptr<Transform>> make_hash_transform(TransformOptions& options) {
  std::optional<std::string> name;
  if (options.has("name")) name = options.word("name", "");
  options.word("name", "");
  const std::uint64_t buckets = options.count("buckets", 0, 2);
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Hash>(std::move(name), buckets));
}

}  // namespace capstan
