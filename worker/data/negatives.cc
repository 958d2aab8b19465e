#include "worker/data/negatives.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/assert.h"
#include "common/hash.h"

namespace capstan {
namespace {

// Uniform in [0, n) from the high 32 bits; the bias is below n / 2^32.
std::uint32_t scale(std::uint64_t bits, std::uint64_t n) {
  return static_cast<std::uint32_t>(((bits >> 32) * n) >> 32);
}

}  // namespace

AliasTable::AliasTable(const std::vector<double>& weights)
    : keep_(weights.size(), 1.0), alias_(weights.size()) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  CAPSTAN_ASSERT(sum > 0.0 && std::isfinite(sum), "weights have a positive sum");
  std::vector<double> scaled(weights.size());
  std::vector<std::uint32_t> small, large;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    alias_[i] = i;
    scaled[i] = weights[i] / sum * static_cast<double>(weights.size());
    (scaled[i] < 1.0 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t lesser = small.back();
    const std::uint32_t greater = large.back();
    small.pop_back();
    keep_[lesser] = scaled[lesser];
    alias_[lesser] = greater;
    scaled[greater] -= 1.0 - scaled[lesser];
    if (scaled[greater] < 1.0) {
      large.pop_back();
      small.push_back(greater);
    }
  }
}

std::uint32_t AliasTable::draw(std::uint64_t uniform_bits) const {
  const std::uint32_t column = scale(uniform_bits, keep_.size());
  const double coin = static_cast<double>(uniform_bits & 0xffffffffULL) * 0x1.0p-32;
  return coin < keep_[column] ? column : alias_[column];
}

NegativeSampler::NegativeSampler(const Dataset& data, const NegativeConfig& config, std::uint64_t seed,
                                 bool include_valid)
    : data_(data),
      sampler_(config.sampler),
      exclude_known_(config.exclude_known),
      include_valid_(include_valid && !data.valid_items.offsets.empty()),
      seed_(seed) {
  CAPSTAN_ASSERT(data.num_items > 0, "negatives need items");
  if (sampler_ == Sampler::kUniform) return;
  const double alpha = sampler_ == Sampler::kInBatch ? 1.0 : config.alpha;
  std::vector<double> weights;
  for (const std::uint32_t count : data.item_counts.as<std::uint32_t>()) {
    weights.push_back(std::pow(static_cast<double>(std::max(count, 1U)), alpha));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (const double weight : weights) log_q_.push_back(std::log(weight / sum));
  if (sampler_ == Sampler::kPopularity) popularity_.emplace_back(weights);
}

std::uint32_t NegativeSampler::any_item(std::uint64_t bits) const {
  return popularity_.empty() ? scale(bits, data_.num_items) : popularity_.front().draw(bits);
}

bool NegativeSampler::known(std::uint32_t user, std::uint32_t item) const {
  return data_.train_items.contains(user, item) || (include_valid_ && data_.valid_items.contains(user, item));
}

std::uint32_t NegativeSampler::draw_for(std::uint32_t user, std::uint64_t epoch, std::uint64_t example,
                                        std::uint32_t draw) const {
  CAPSTAN_ASSERT(sampler_ != Sampler::kInBatch, "in-batch negatives are not drawn");
  const std::uint64_t base = combine(seed_, epoch, example, std::uint64_t{draw});
  std::uint32_t item = any_item(base);
  if (!exclude_known_) return item;
  for (int attempt = 1; attempt <= kTries && known(user, item); ++attempt) {
    item = any_item(combine(base, static_cast<std::uint64_t>(attempt)));
  }
  for (std::uint32_t step = 0; step < data_.num_items && known(user, item); ++step) {
    item = item + 1 == data_.num_items ? 0 : item + 1;
  }
  return item;
}

double NegativeSampler::log_q(std::uint32_t item) const {
  return log_q_.empty() ? -std::log(static_cast<double>(data_.num_items)) : log_q_[item];
}

}  // namespace capstan
