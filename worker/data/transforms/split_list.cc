#include "worker/data/transforms/split_list.h"

#include "common/text.h"

namespace capstan {
namespace {

class SplitList final : public Transform {
 public:
  explicit SplitList(std::string separator) : separator_(std::move(separator)) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext&) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kText));
    if (inputs[0].is_list()) return make_error(ErrorCode::kInvalid, "is given a list already");
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kText);
    values.offsets = {0};
    for (const auto text : inputs[0].text) {
      for (const auto part : split_text(text, separator_)) {
        if (!trim(part).empty()) values.text.push_back(trim(part));
      }
      values.offsets.push_back(values.text.size());
    }
    return values;
  }

 private:
  std::string separator_;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_split_transform(TransformOptions& options) {
  std::string separator = options.word("separator", "|");
  if (separator.empty()) options.fail("separator is empty");
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<SplitList>(std::move(separator)));
}

}  // namespace capstan
