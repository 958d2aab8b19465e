#include "worker/baselines/ease.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/assert.h"
#include "common/parallel.h"
#include "worker/baselines/spd_inverse.h"

namespace capstan {

std::string Ease::description() const {
  return fmt::format("ease (lambda {})", lambda_);
}

Status Ease::fit(const Dataset& dataset, History history) {
  const UserItems known = history_items(dataset, history);
  const auto counts = users_per_item(known, dataset.num_users, dataset.num_items);
  active_.clear();
  place_.assign(dataset.num_items, kInactive);
  for (std::uint32_t item = 0; item < dataset.num_items; ++item) {
    if (counts[item] == 0) continue;
    place_[item] = static_cast<std::uint32_t>(active_.size());
    active_.push_back(item);
  }
  if (active_.size() > kMostItems) {
    return make_error(ErrorCode::kInvalid, fmt::format("EASE takes up to {} items, and this data has {}",
                                                       kMostItems, active_.size()));
  }
  if (!(lambda_ > 0.0F)) return make_error(ErrorCode::kInvalid, "EASE's lambda must be positive");
  const std::size_t n = active_.size();
  weights_.assign(n * n, 0.0F);
  for (std::uint32_t user = 0; user < dataset.num_users; ++user) {
    const auto items = items_of(known, user);
    for (const std::uint32_t a : items) {
      float* const row = weights_.data() + place_[a] * n;
      for (const std::uint32_t b : items) row[place_[b]] += 1.0F;
    }
  }
  for (std::size_t i = 0; i < n; ++i) weights_[i * n + i] += lambda_;
  const auto size = static_cast<std::uint32_t>(n);
  CAPSTAN_TRY(invert_spd(Matrix{weights_.data(), size, size}).wrap("EASE"));
  std::vector<float> scale(n);
  for (std::size_t j = 0; j < n; ++j) scale[j] = -1.0F / weights_[j * n + j];
  parallel_for(n, [&](std::size_t i) {
    for (std::size_t j = 0; j < n; ++j) weights_[i * n + j] *= scale[j];
    weights_[i * n + i] = 0.0F;
  });
  return ok_status();
}

void Ease::scores(std::span<const std::uint32_t> history, std::span<float> out) const {
  CAPSTAN_ASSERT(out.size() == place_.size(), "a place for every item");
  const std::size_t n = active_.size();
  std::vector<float> sums(n, 0.0F);
  for (const std::uint32_t from : history) {
    if (place_[from] == kInactive) continue;
    const float* const row = weights_.data() + place_[from] * n;
    for (std::size_t j = 0; j < n; ++j) sums[j] += row[j];
  }
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t j = 0; j < n; ++j) out[active_[j]] = sums[j];
}

std::vector<Contribution> Ease::reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                        std::size_t most) const {
  std::vector<Contribution> all;
  if (place_[item] == kInactive) return all;
  for (const std::uint32_t from : history) {
    if (place_[from] == kInactive) continue;
    all.push_back({from, static_cast<double>(weights_[place_[from] * active_.size() + place_[item]])});
  }
  return top_contributions(std::move(all), most);
}

}  // namespace capstan
