#include "worker/data/transforms/counter.h"

#include <cmath>

#include "worker/data/transforms/time_order.h"

namespace capstan {
namespace {

class Counter final : public Transform {
 public:
  Counter(std::string of, bool raw) : of_(std::move(of)), raw_(raw) {}

  Status fit(std::span<const FeatureValues>, const TransformContext& context) override {
    CAPSTAN_TRY(needs_user_and_time(context));
    if (of_ != "user" && context.items.empty()) {
      return make_error(ErrorCode::kInvalid, "needs data.item");
    }
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs,
                              const TransformContext& context) const override {
    std::vector<std::uint64_t> groups(context.users.size());
    for (std::uint64_t row = 0; row < groups.size(); ++row) {
      const std::uint64_t user = context.users[row];
      if (of_ == "user") groups[row] = user;
      if (of_ == "item") groups[row] = context.items[row];
      if (of_ == "pair") groups[row] = user << 32 | context.items[row];
    }
    const std::span<const std::uint64_t> by_row = groups;
    const auto order = by_group_and_time(by_row, context.times);
    const auto past = past_in_order(order, by_row, context.times);
    FeatureValues values;
    values.kind = ValueKind::kNumber;
    if (!inputs.empty()) values.name = inputs[0].name;
    values.numbers.resize(groups.size());
    for (std::uint64_t i = 0; i < order.size(); ++i) {
      const auto count = static_cast<double>(past[i].end - past[i].begin);
      values.numbers[order[i]] = raw_ ? count : std::log1p(count);
    }
    return values;
  }

 private:
  std::string of_;
  bool raw_;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_counter_transform(TransformOptions& options) {
  const std::string of = options.choice("of", {"user", "item", "pair"});
  const bool raw = options.flag("raw", false);
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Counter>(of, raw));
}

}  // namespace capstan
