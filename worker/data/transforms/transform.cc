#include "worker/data/transforms/transform.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

std::string_view word(ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
      return "text";
    case ValueKind::kNumber:
      return "numbers";
    case ValueKind::kKey:
      return "keys";
  }
  return "";
}

}  // namespace

Status expect_one(std::span<const FeatureValues> inputs, ValueKind kind) {
  if (inputs.size() != 1) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("takes one column, not {}; join them with cross", inputs.size()));
  }
  if (inputs[0].kind == kind) return ok_status();
  return make_error(ErrorCode::kInvalid, fmt::format("needs {}, but what comes before it gives {}",
                                                     word(kind), word(inputs[0].kind)));
}

FeatureValues like(const FeatureValues& input, ValueKind kind) {
  FeatureValues values;
  values.kind = kind;
  values.name = input.name;
  values.offsets = input.offsets;
  return values;
}

std::vector<double> sorted_train_numbers(const FeatureValues& values, const TransformContext& context) {
  std::vector<double> sorted;
  for_each_train_value(values, context, [&](std::uint64_t i) {
    if (!std::isnan(values.numbers[i])) sorted.push_back(values.numbers[i]);
  });
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double quantile(std::span<const double> sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - static_cast<double>(low));
}

}  // namespace capstan
