#include "worker/data/transforms/vocab.h"

#include <unordered_map>

namespace capstan {
namespace {

class Vocab final : public Transform {
 public:
  explicit Vocab(std::uint64_t min_count) : min_count_(min_count) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kText));
    const auto& text = inputs[0].text;
    std::unordered_map<std::string_view, std::uint64_t> counts;
    for_each_train_value(inputs[0], context, [&](std::uint64_t i) { ++counts[text[i]]; });
    for_each_train_value(inputs[0], context, [&](std::uint64_t i) {
      if (text[i].empty() || counts[text[i]] < min_count_) return;
      keys_.try_emplace(std::string(text[i]), keys_.size() + 1);
    });
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = keys_.size() + 1;
    values.keys.reserve(inputs[0].text.size());
    for (const auto text : inputs[0].text) {
      const auto found = keys_.find(text);
      values.keys.push_back(found == keys_.end() ? 0 : found->second);
    }
    return values;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash_string(text); }
  };
  std::uint64_t min_count_;
  std::unordered_map<std::string, Key, TextHash, std::equal_to<>> keys_;  // only looked up
};

}  // namespace

Result<std::unique_ptr<Transform>> make_vocab_transform(TransformOptions& options) {
  const std::uint64_t min_count = options.count("min_count", 1, 1);
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Vocab>(min_count));
}

}  // namespace capstan
