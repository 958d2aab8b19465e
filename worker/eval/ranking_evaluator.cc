#include "worker/eval/ranking_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/assert.h"
#include "common/hash.h"
#include "common/parallel.h"
#include "worker/eval/exposure.h"
#include "worker/eval/ranking_metrics.h"
#include "worker/eval/top_items.h"

namespace capstan {

struct RankingEvaluator::Outcome {
  std::uint32_t user = 0;
  std::vector<double> values, warm_values;
  std::vector<std::uint32_t> list;
  std::uint64_t test_items = 0, cold_test_items = 0;
  bool new_user = false;
};

namespace {

double value_of(std::string_view metric, const UserRanking& ranking) {
  if (metric == "hr") return hit_rate_at(ranking);
  if (metric == "recall") return recall_at(ranking);
  if (metric == "precision") return precision_at(ranking);
  if (metric == "ndcg") return ndcg_at(ranking);
  if (metric == "mrr") return mrr_at(ranking);
  CAPSTAN_ASSERT(metric == "map", "a listed ranking metric without a formula");
  return map_at(ranking);
}

std::vector<TieBlock> tie_blocks(const TopItems& top, const std::vector<std::uint32_t>& relevant) {
  std::vector<TieBlock> blocks;
  for (std::size_t i = 0; i < top.items.size(); ++i) {
    if (i == 0 || top.scores[i] != top.scores[i - 1]) blocks.emplace_back();
    ++blocks.back().size;
    if (std::binary_search(relevant.begin(), relevant.end(), top.items[i])) ++blocks.back().relevant;
  }
  return blocks;
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

Result<RankingPart> empty_part(const Dataset& dataset, const RankingOptions& options) {
  RankingPart part;
  part.protocol = options.judged.protocol(dataset);
  part.num_items = dataset.num_items;
  for (const MetricName& metric : options.metrics) {
    if (metric.info == nullptr || !metric.info->ranking || metric.k == 0) {
      return make_error(ErrorCode::kInvalid, "a metric that is none of ranking");
    }
    part.list_length = std::max(part.list_length, metric.k);
    if (metric.info->name == "coverage") {
      part.coverage_cuts.push_back(metric.k);
    } else if (metric.info->name == "gini") {
      part.gini_cuts.push_back(metric.k);
    } else {
      part.metrics.push_back(metric.text());
    }
  }
  return part;
}

}  // namespace

Result<RankingEvaluator> RankingEvaluator::create(const Dataset& dataset, RankingOptions options) {
  RankingEvaluator evaluator(dataset, std::move(options));
  CAPSTAN_TRY(evaluator.index().wrap("ranking evaluation"));
  return evaluator;
}

Status RankingEvaluator::index() {
  CAPSTAN_ASSIGN(part_, empty_part(*dataset_, options_));
  const EvalSplit split = options_.judged.split;
  seen_ = history_items(*dataset_, seen_before(split));
  counts_ =
      users_per_item(history_items(*dataset_, options_.trained_on), dataset_->num_users, dataset_->num_items);
  train_counts_ =
      users_per_item(history_items(*dataset_, History::kTrain), dataset_->num_users, dataset_->num_items);
  for (std::uint32_t user = 0; user < dataset_->num_users; ++user) {
    const auto asked = items_of(asked_items(*dataset_, split), user);
    const auto seen = items_of(seen_, user);
    if (!asked.empty()) users_.push_back(user);
    for (const std::uint32_t item : asked) {
      if (!std::binary_search(seen.begin(), seen.end(), item)) continue;
      return make_error(ErrorCode::kInvalid,
                        fmt::format("item {} is asked of user {}, in whose history it stands", item, user));
    }
  }
  if (users_.empty()) return make_error(ErrorCode::kInvalid, "the split has no items to ask for");
  return ok_status();
}

std::vector<std::uint32_t> RankingEvaluator::judged_items(std::uint32_t user) const {
  return options_.judged.of(*dataset_, user, items_of(seen_, user));
}

RankingEvaluator::Outcome RankingEvaluator::judge(std::uint32_t user, std::span<const std::uint32_t> items,
                                                  std::span<const float> scores) const {
  Outcome outcome;
  outcome.user = user;
  const auto asked = items_of(asked_items(*dataset_, options_.judged.split), user);
  CAPSTAN_ASSERT(!asked.empty(), "a user with test items");
  std::vector<std::uint32_t> warm(asked.begin(), asked.end());
  std::erase_if(warm, [&](std::uint32_t item) { return counts_[item] == 0; });
  outcome.test_items = asked.size();
  outcome.cold_test_items = asked.size() - warm.size();
  outcome.new_user = items_of(seen_, user).empty();

  const TopItems top = top_items(items, scores, part_.list_length, combine(options_.judged.seed, user));
  const auto blocks = tie_blocks(top, warm);
  outcome.list.assign(top.items.begin(), top.items.begin() + static_cast<std::ptrdiff_t>(top.list_size));
  for (const MetricName& metric : options_.metrics) {
    const std::string_view name = metric.info->name;
    if (name == "coverage" || name == "gini") continue;
    double all = 0.0, warm_only = 0.0;
    if (name == "novelty") {
      const std::size_t shown = std::min<std::size_t>(metric.k, outcome.list.size());
      all = warm_only = novelty(std::span(outcome.list).first(shown), train_counts_, dataset_->num_users);
    } else {
      all = value_of(name, {blocks, asked.size(), metric.k});
      if (!warm.empty()) warm_only = value_of(name, {blocks, warm.size(), metric.k});
    }
    outcome.values.push_back(all);
    outcome.warm_values.push_back(warm.empty() ? std::numeric_limits<double>::quiet_NaN() : warm_only);
  }
  outcome.list.resize(part_.list_length, kNoItem);
  return outcome;
}

void RankingEvaluator::keep(const Outcome& outcome) {
  part_.users.push_back(outcome.user);
  append(part_.values, outcome.values);
  append(part_.warm_values, outcome.warm_values);
  append(part_.lists, outcome.list);
  part_.test_items += outcome.test_items;
  part_.cold_test_items += outcome.cold_test_items;
  part_.new_users += outcome.new_user ? 1 : 0;
}

Status RankingEvaluator::add(std::span<const std::uint32_t> users, std::span<const float> scores) {
  const std::size_t width = dataset_->num_items;
  CAPSTAN_ASSERT(scores.size() == users.size() * width, "a score for every user and item");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) continue;
    return make_error(ErrorCode::kInvalid,
                      fmt::format("the score of user {} and item {} is NaN", users[i / width], i % width));
  }
  std::vector<Outcome> outcomes(users.size());
  parallel_for(users.size(), [&](std::size_t i) {
    const auto row = scores.subspan(i * width, width);
    const auto items = judged_items(users[i]);
    std::vector<float> judged(items.size());
    std::transform(items.begin(), items.end(), judged.begin(), [&](std::uint32_t item) { return row[item]; });
    outcomes[i] = judge(users[i], items, judged);
  });
  for (const Outcome& outcome : outcomes) keep(outcome);
  return ok_status();
}

Status RankingEvaluator::add_judged(std::uint32_t user, std::span<const float> scores) {
  const auto items = judged_items(user);
  CAPSTAN_ASSERT(scores.size() == items.size(), "a score for every judged item");
  const auto bad = std::find_if(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
  if (bad != scores.end()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("the score of user {} and item {} is NaN", user,
                                  items[static_cast<std::size_t>(bad - scores.begin())]));
  }
  keep(judge(user, items, scores));
  return ok_status();
}

RankingPart RankingEvaluator::take() {
  RankingPart taken = sorted_by_user(part_);
  part_.users.clear();
  part_.values.clear();
  part_.warm_values.clear();
  part_.lists.clear();
  part_.test_items = part_.cold_test_items = part_.new_users = 0;
  return taken;
}

}  // namespace capstan
