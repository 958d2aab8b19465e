#include "worker/data/transforms/ngrams.h"

#include <string>

#include "worker/data/transforms/hash.h"

namespace capstan {
namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) > 127;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// The words of `text` joined by one blank, and where each unit (word or character) begins and ends in that.
struct Units {
  std::string joined;
  std::vector<std::size_t> begins, ends;
};

Units find_units(std::string_view text, bool chars) {
  Units units;
  const std::string lower = lowered(text);
  for (std::size_t at = 0; at < lower.size();) {
    std::size_t end = at;
    while (end < lower.size() && in_word(lower[end])) ++end;
    if (end > at) {
      if (!units.joined.empty()) units.joined += ' ';
      units.begins.push_back(units.joined.size());
      units.joined.append(lower, at, end - at);
      units.ends.push_back(units.joined.size());
    }
    at = end + 1;
  }
  if (!chars) return units;
  units.begins.clear();
  units.ends.clear();
  for (std::size_t i = 0; i < units.joined.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(units.joined[i]) & 0xC0) != 0x80;
    if (starts && i > 0) units.ends.push_back(i);
    if (starts) units.begins.push_back(i);
  }
  if (!units.joined.empty()) units.ends.push_back(units.joined.size());
  return units;
}

class Ngrams final : public Transform {
 public:
  Ngrams(bool chars, std::uint64_t min, std::uint64_t max, std::uint64_t buckets)
      : chars_(chars), min_(min), max_(max), buckets_(buckets) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext&) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kText));
    if (inputs[0].is_list()) return make_error(ErrorCode::kInvalid, "needs one text a row, not a list");
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = buckets_;
    values.offsets = {0};
    for (const auto text : inputs[0].text) {
      const Units units = find_units(text, chars_);
      const std::string_view joined = units.joined;
      for (std::uint64_t n = min_; n <= max_; ++n) {
        for (std::size_t i = 0; i + n <= units.begins.size(); ++i) {
          const std::size_t begin = units.begins[i];
          values.keys.push_back(
              hashed_key("", joined.substr(begin, units.ends[i + n - 1] - begin), buckets_));
        }
      }
      values.offsets.push_back(values.keys.size());
    }
    return values;
  }

 private:
  bool chars_;
  std::uint64_t min_, max_, buckets_;
};

}  // namespace

Result<std::unique_ptr<Transform>> make_ngrams_transform(TransformOptions& options) {
  const bool chars = options.choice("of", {"words", "chars"}) == "chars";
  const std::uint64_t min = options.count("min", chars ? 3 : 1, 1);
  const std::uint64_t max = options.count("max", std::max<std::uint64_t>(min, chars ? 3 : 2), 1);
  const std::uint64_t buckets = options.count("buckets", 0, 2);
  if (max < min) options.fail("max is below min");
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Ngrams>(chars, min, max, buckets));
}

}  // namespace capstan
