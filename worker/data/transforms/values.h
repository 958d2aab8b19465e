// FeatureValues: what a feature's chain of transforms hands on: text, numbers or keys, one or a list for each
// row.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "common/hash.h"

namespace capstan {

enum class ValueKind : std::uint8_t { kText, kNumber, kKey };

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();  // a number that is not there

// Exactly one of text, numbers and keys is filled, as `kind` says. Without offsets: one value a row; with
// them, row r has the values [offsets[r], offsets[r + 1]). Texts are views of the raw table, which outlives
// the chain; an empty text is a missing value.
struct FeatureValues {
  ValueKind kind = ValueKind::kText;
  std::string_view name;  // of the column it came from
  std::vector<std::string_view> text;
  std::vector<double> numbers;  // kMissing where missing
  std::vector<Key> keys;
  std::vector<float> weights;          // beside keys; empty: all 1
  std::vector<std::uint64_t> offsets;  // [rows + 1], or empty
  std::uint64_t cardinality = 0;       // keys are below it; 0: any

  bool is_list() const { return !offsets.empty(); }
  std::size_t size() const { return text.size() + numbers.size() + keys.size(); }  // values, not rows
  std::uint64_t rows() const { return is_list() ? offsets.size() - 1 : size(); }
  std::uint64_t begin(std::uint64_t row) const { return is_list() ? offsets[row] : row; }
  std::uint64_t end(std::uint64_t row) const { return is_list() ? offsets[row + 1] : row + 1; }
};

}  // namespace capstan
