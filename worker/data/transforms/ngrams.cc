#include "worker/data/transforms/ngrams.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

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

struct NgramOptions {
  bool chars = false;
  std::uint64_t min = 1, max = 2, buckets = 0;
  bool idf = false;
};

class Ngrams final : public Transform {
 public:
  explicit Ngrams(const NgramOptions& options) : options_(options) {}

  Status fit(std::span<const FeatureValues> inputs, const TransformContext& context) override {
    CAPSTAN_TRY(expect_one(inputs, ValueKind::kText));
    if (inputs[0].is_list()) return make_error(ErrorCode::kInvalid, "needs one text a row, not a list");
    if (!options_.idf) return ok_status();
    texts_ = static_cast<double>(context.train.size());
    std::vector<Key> keys;
    for (const std::uint64_t row : context.train) {
      keys.clear();
      add_keys(inputs[0].text[row], keys);
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      for (const Key key : keys) ++texts_with_[key];
    }
    return ok_status();
  }

  Result<FeatureValues> apply(std::span<const FeatureValues> inputs, const TransformContext&) const override {
    FeatureValues values = like(inputs[0], ValueKind::kKey);
    values.cardinality = options_.buckets;
    values.offsets = {0};
    for (const auto text : inputs[0].text) {
      add_keys(text, values.keys);
      values.offsets.push_back(values.keys.size());
    }
    if (options_.idf) {
      values.weights.reserve(values.keys.size());
      for (const Key key : values.keys) values.weights.push_back(idf(key));
    }
    return values;
  }

 private:
  void add_keys(std::string_view text, std::vector<Key>& keys) const {
    const Units units = find_units(text, options_.chars);
    const std::string_view joined = units.joined;
    for (std::uint64_t n = options_.min; n <= options_.max; ++n) {
      for (std::size_t i = 0; i + n <= units.begins.size(); ++i) {
        const std::size_t begin = units.begins[i];
        keys.push_back(hashed_key("", joined.substr(begin, units.ends[i + n - 1] - begin), options_.buckets));
      }
    }
  }

  float idf(Key key) const {
    const auto found = texts_with_.find(key);
    const double with = found == texts_with_.end() ? 0.0 : static_cast<double>(found->second);
    return static_cast<float>(1.0 + std::log((1.0 + texts_) / (1.0 + with)));
  }

  NgramOptions options_;
  double texts_ = 0.0;                                 // of train
  std::unordered_map<Key, std::uint64_t> texts_with_;  // only looked up
};

}  // namespace

Result<std::unique_ptr<Transform>> make_ngrams_transform(TransformOptions& options) {
  NgramOptions ngrams;
  ngrams.chars = options.choice("of", {"words", "chars"}) == "chars";
  ngrams.min = options.count("min", ngrams.chars ? 3 : 1, 1);
  ngrams.max = options.count("max", std::max<std::uint64_t>(ngrams.min, ngrams.chars ? 3 : 2), 1);
  ngrams.buckets = options.count("buckets", 0, 2);
  ngrams.idf = options.flag("idf", false);
  if (ngrams.max < ngrams.min) options.fail("max is below min");
  CAPSTAN_TRY(options.finish());
  return std::unique_ptr<Transform>(std::make_unique<Ngrams>(ngrams));
}

}  // namespace capstan
