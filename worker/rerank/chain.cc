#include "worker/rerank/chain.h"

#include <algorithm>

#include "common/assert.h"
#include "worker/eval/top_items.h"
#include "worker/rerank/calibrated.h"
#include "worker/rerank/category_cap.h"
#include "worker/rerank/dpp.h"
#include "worker/rerank/mmr.h"
#include "worker/rerank/random_share.h"

namespace capstan {
namespace {

bool compares_items(const RerankStep& step) {
  return step.type == RerankType::kMmr || step.type == RerankType::kDpp;
}

// The chosen first, then the others as they stood.
std::vector<std::uint32_t> with_rest(const Choice& choice, std::span<const std::uint32_t> items) {
  std::vector<bool> taken(items.size(), false);
  std::vector<std::uint32_t> order;
  for (const std::uint32_t at : choice) {
    CAPSTAN_ASSERT(at < items.size() && !taken[at], "a choice names each candidate once");
    taken[at] = true;
    order.push_back(items[at]);
  }
  for (std::size_t at = 0; at < items.size(); ++at) {
    if (!taken[at]) order.push_back(items[at]);
  }
  return order;
}

}  // namespace

RerankChain::RerankChain(const Reranking& reranking, std::uint32_t list_length)
    : reranking_(&reranking), list_length_(list_length) {
  for (const RerankStep& step : reranking.steps) {
    if (step.by.empty()) {
      needs_vectors_ = needs_vectors_ || compares_items(step);
    } else if (shown_ == nullptr) {
      shown_ = &categories(step.by);
    }
  }
}

void RerankChain::set_vectors(std::span<const float> vectors, std::uint32_t width, std::uint32_t dim) {
  of_vectors_ = ItemSimilarity::of_vectors(vectors, width, dim);
}

const ItemCategories& RerankChain::categories(const std::string& column) const {
  const auto found = reranking_->categories.find(column);
  CAPSTAN_ASSERT(found != reranking_->categories.end(), "the categories of every step were read");
  return found->second;
}

Choice RerankChain::choose(const RerankStep& step, const Candidates& candidates) const {
  const double weight = step.values.front();
  if (step.type == RerankType::kRandom) return choose_random_share(candidates, weight);
  if (step.type == RerankType::kCap)
    return choose_capped(candidates, categories(step.by), static_cast<std::uint32_t>(weight));
  if (step.type == RerankType::kCalibrated) return choose_calibrated(candidates, categories(step.by), weight);
  const auto compare = [&](const ItemSimilarity& similarity) {
    return step.type == RerankType::kMmr ? choose_mmr(candidates, similarity, weight)
                                         : choose_dpp(candidates, similarity, weight);
  };
  return step.by.empty() ? compare(of_vectors_) : compare(ItemSimilarity::of_categories(categories(step.by)));
}

std::vector<std::uint32_t> RerankChain::order(const RerankSetting& setting,
                                              const Candidates& candidates) const {
  std::vector<std::uint32_t> items(candidates.items.begin(), candidates.items.end());
  for (const RerankStep& step : setting.steps) {
    Candidates now = candidates;
    now.items = items;
    now.list_length = list_length_;
    items = with_rest(choose(step, now), items);
  }
  return items;
}

double RerankChain::distance_in(std::span<const std::uint32_t> list) const {
  return intra_list_distance(list, shown_ ? ItemSimilarity::of_categories(*shown_) : of_vectors_);
}

double RerankChain::calibration(std::span<const std::uint32_t> history,
                                std::span<const std::uint32_t> list) const {
  if (shown_ == nullptr) return 0.0;
  return calibration_distance(category_shares(history, *shown_), category_shares(list, *shown_));
}

std::vector<std::uint32_t> reranked(const RerankChain& chain, const RerankSetting& setting,
                                    std::span<const std::uint32_t> items, std::span<const float> scores,
                                    std::span<const std::uint32_t> history, std::uint64_t seed) {
  const TopItems top = top_items(items, scores, chain.pool(), seed);
  const auto best = std::span(top.items).first(top.list_size);
  const std::vector<double> relevance = scaled(std::span(top.scores).first(top.list_size));
  return chain.order(setting, {best, relevance, history, 0, seed});
}

}  // namespace capstan
