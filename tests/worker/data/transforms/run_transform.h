// One-line helpers that make a transform's test a table of facts.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "worker/data/transforms/registry.h"

namespace capstan {

inline FeatureValues texts(std::vector<std::string_view> values, std::string_view name = "c") {
  FeatureValues result;
  result.name = name;
  result.text = std::move(values);
  return result;
}

inline FeatureValues numbers(std::vector<double> values) {
  FeatureValues result;
  result.kind = ValueKind::kNumber;
  result.name = "c";
  result.numbers = std::move(values);
  return result;
}

struct TestEvents {
  std::vector<std::uint32_t> users, items;
  std::vector<std::int64_t> times;
};

// Fits on the first `train` rows; the error's message goes to `error`.
inline FeatureValues run_transform(const TransformStep& step, const std::vector<FeatureValues>& inputs,
                                   std::size_t train, std::string* error = nullptr,
                                   const TestEvents& events = {}) {
  std::vector<std::uint64_t> rows(train);
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  const TransformContext context{rows, events.users, events.items, events.times};
  const auto fail = [&](const Error& why) {
    if (error == nullptr) ADD_FAILURE() << why.message;
    if (error != nullptr) *error = why.message;
    return FeatureValues();
  };
  auto transform = make_transform(step);
  if (!transform.ok()) return fail(transform.error());
  const Status fitted = (*transform)->fit(inputs, context);
  if (!fitted.ok()) return fail(fitted.error());
  auto output = (*transform)->apply(inputs, context);
  return output.ok() ? std::move(output).value() : fail(output.error());
}

inline std::string error_of(const TransformStep& step, const std::vector<FeatureValues>& inputs,
                            const TestEvents& events = {}) {
  std::string error = "none";
  run_transform(step, inputs, inputs.empty() ? 0 : inputs[0].rows(), &error, events);
  return error;
}

using Keys = std::vector<Key>;
using Offsets = std::vector<std::uint64_t>;

}  // namespace capstan
