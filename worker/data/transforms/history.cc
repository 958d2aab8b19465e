#include "worker/data/transforms/history.h"

#include <algorithm>

#include "worker/data/transforms/time_order.h"

namespace capstan {
namespace {

class History final : public Transform {
 public:
  explicit History(std::uint64_t n) : n_(n) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    if (inputs.size() != 1 || inputs[0].is_list() || inputs[0].kind == ValueKind::kNumber) {
      return make_error(ErrorCode::kInvalid, "needs one column of text or keys, one value a row");
    }
    return needs_user_and_time(context);
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs,
                              const TransformContext& context) const override {
    const FeatureValues& input = inputs[0];
    const auto order = by_group_and_time(context.users, context.times);
    std::vector<std::uint64_t> place(order.size());
    for (std::uint64_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    FeatureValues values = like(input, input.kind);
    values.cardinality = input.cardinality;
    values.offsets = {0};
    const auto past = past_in_order(order, context.users, context.times);
    for (std::uint64_t row = 0; row < order.size(); ++row) {
      const Past& of_row = past[place[row]];
      const std::uint64_t from = of_row.end - std::min(of_row.end - of_row.begin, n_);
      for (std::uint64_t i = from; i < of_row.end; ++i) {
        if (input.kind == ValueKind::kKey) {
          values.keys.push_back(input.keys[order[i]]);
        } else {
          values.text.push_back(input.text[order[i]]);
        }
      }
      values.offsets.push_back(values.size());
    }
    return values;
  }

 private:
  std::uint64_t n_;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_history_transform(TransformOptions& options) {
  const std::uint64_t n = options.count("n", 50, 1);
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<History>(n));
}

}  // namespace capstan
