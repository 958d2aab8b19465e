#include "worker/baselines/item_knn.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/assert.h"
#include "worker/baselines/evaluate_baseline.h"
#include "worker/eval/metrics_list.h"

namespace capstan {
namespace {

constexpr std::array<std::uint32_t, 3> kTriedK = {20, 100, 1000};
constexpr std::array<float, 3> kTriedShrink = {0.0F, 10.0F, 100.0F};

void add_scores(const NeighbourLists& lends_to, std::span<const std::uint32_t> history,
                std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0F);
  for (const std::uint32_t from : history) {
    for (const Neighbour& to : lends_to.of(from)) out[to.item] += to.similarity;
  }
}

}  // namespace

std::string ItemKnn::description() const {
  return fmt::format("item_knn (k {}, shrink {})", settings_.k, settings_.shrink);
}

Status ItemKnn::fit(const Dataset& dataset, History history) {
  settings_ = given_.value_or(ItemKnnSettings{});
  if (!given_ && !dataset.valid_items.values.empty()) {
    CAPSTAN_ASSIGN(settings_, tune_item_knn(dataset));
  }
  const UserItems known = history_items(dataset, history);
  const auto nearest =
      most_similar(known, dataset.num_users, dataset.num_items, settings_.shrink, settings_.k);
  lends_to_ = turned_round(nearest, settings_.k);
  return ok_status();
}

void ItemKnn::scores(std::span<const std::uint32_t> history, std::span<float> out) const {
  CAPSTAN_ASSERT(out.size() + 1 == lends_to_.offsets.size(), "a place for every item");
  add_scores(lends_to_, history, out);
}

std::vector<Contribution> ItemKnn::reasons(std::span<const std::uint32_t> history, std::uint32_t item,
                                           std::size_t most) const {
  std::vector<Contribution> all;
  for (const std::uint32_t from : history) {
    const auto lent = lends_to_.of(from);
    const auto found =
        std::lower_bound(lent.begin(), lent.end(), item,
                         [](const Neighbour& to, std::uint32_t wanted) { return to.item < wanted; });
    if (found != lent.end() && found->item == item)
      all.push_back({from, static_cast<double>(found->similarity)});
  }
  return top_contributions(std::move(all), most);
}

Result<ItemKnnSettings> tune_item_knn(const Dataset& dataset) {
  CAPSTAN_ASSIGN(const MetricName ndcg, parse_metric("ndcg@10", Task::kRanking, 10));
  RankingOptions options;
  options.judged.split = EvalSplit::kValid;
  options.metrics = {ndcg};
  CAPSTAN_ASSIGN(auto evaluator, RankingEvaluator::create(dataset, options));
  ItemKnnSettings best;
  double best_value = -1.0;
  for (const float shrink : kTriedShrink) {
    const auto nearest =
        most_similar(dataset.train_items, dataset.num_users, dataset.num_items, shrink, kTriedK.back());
    for (const std::uint32_t k : kTriedK) {
      const NeighbourLists lends_to = turned_round(nearest, k);
      const auto score = [&](std::span<const std::uint32_t> history, std::span<float> out) {
        add_scores(lends_to, history, out);
      };
      CAPSTAN_TRY(add_all(evaluator, dataset, dataset.train_items, evaluator.users(), score));
      CAPSTAN_ASSIGN(const auto summary, merge({evaluator.take()}));
      const double value = summary.metrics.at("ndcg@10");
      if (value > best_value) {
        best_value = value;
        best = {k, shrink};
      }
    }
  }
  return best;
}

}  // namespace capstan
