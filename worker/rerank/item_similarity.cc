#include "worker/rerank/item_similarity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

namespace capstan {
namespace {

double overlap(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  if (a.empty() || b.empty()) return 0.0;
  std::size_t i = 0, j = 0, both = 0;
  while (i < a.size() && j < b.size()) {
    both += a[i] == b[j];
    const bool step_a = a[i] <= b[j], step_b = b[j] <= a[i];
    i += step_a;
    j += step_b;
  }
  return static_cast<double>(both) / std::sqrt(static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

}  // namespace

ItemCategories item_categories(const std::vector<std::string>& texts, char separator) {
  std::map<std::string, std::uint32_t, std::less<>> numbers;
  std::vector<std::set<std::string>> names(texts.size());
  for (std::size_t item = 0; item < texts.size(); ++item) {
    std::istringstream text(texts[item]);
    for (std::string name; std::getline(text, name, separator);) {
      if (!name.empty()) names[item].insert(name);
    }
    for (const std::string& name : names[item]) numbers.emplace(name, 0);
  }
  std::uint32_t next = 0;
  for (auto& entry : numbers) entry.second = next++;
  ItemCategories all(texts.size());
  for (std::size_t item = 0; item < texts.size(); ++item) {
    for (const std::string& name : names[item]) all[item].push_back(numbers.at(name));
  }
  return all;
}

ItemSimilarity ItemSimilarity::of_vectors(std::span<const float> vectors, std::uint32_t width,
                                          std::uint32_t dim) {
  ItemSimilarity result;
  result.dim_ = dim;
  const std::size_t items = vectors.size() / width;
  result.unit_.resize(items * dim);
  for (std::size_t item = 0; item < items; ++item) {
    const auto own = vectors.subspan(item * width, dim);
    double square = 0.0;
    for (const float value : own) square += static_cast<double>(value) * static_cast<double>(value);
    const float factor = square > 0.0 ? static_cast<float>(1.0 / std::sqrt(square)) : 0.0F;
    for (std::size_t d = 0; d < dim; ++d) result.unit_[item * dim + d] = own[d] * factor;
  }
  return result;
}

ItemSimilarity ItemSimilarity::of_categories(const ItemCategories& categories) {
  ItemSimilarity result;
  result.categories_ = &categories;
  return result;
}

double ItemSimilarity::between(std::uint32_t a, std::uint32_t b) const {
  if (a == b) return 1.0;
  if (categories_ != nullptr) return overlap((*categories_)[a], (*categories_)[b]);
  const float* const x = unit_.data() + std::size_t{a} * dim_;
  const float* const y = unit_.data() + std::size_t{b} * dim_;
  constexpr std::size_t kLanes = 8;  // sums of their own, which the compiler adds as one vector
  float sums[kLanes] = {};
  std::size_t d = 0;
  for (; d + kLanes <= dim_; d += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[d + lane] * y[d + lane];
  }
  for (; d < dim_; ++d) sums[0] += x[d] * y[d];
  return static_cast<double>(std::accumulate(std::begin(sums), std::end(sums), 0.0F));
}

double intra_list_distance(std::span<const std::uint32_t> list, const ItemSimilarity& similarity) {
  double sum = 0.0;
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j, ++pairs) sum += 1.0 - similarity.between(list[i], list[j]);
  }
  return pairs == 0 ? 0.0 : sum / static_cast<double>(pairs);
}

}  // namespace capstan
