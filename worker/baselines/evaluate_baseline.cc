#include "worker/baselines/evaluate_baseline.h"

#include <algorithm>

#include "common/parallel.h"

namespace capstan {
namespace {

// Users of one block: enough for the threads, and its scores of 40,000 items stay below 16 MB.
constexpr std::size_t kBlockUsers = 96;

}  // namespace

Status add_all(RankingEvaluator& evaluator, const Dataset& dataset, const UserItems& history,
               std::span<const std::uint32_t> users, const HistoryScorer& score) {
  const std::size_t width = dataset.num_items;
  std::vector<float> scores;
  for (std::size_t begin = 0; begin < users.size(); begin += kBlockUsers) {
    const auto block = users.subspan(begin, std::min(kBlockUsers, users.size() - begin));
    scores.resize(block.size() * width);
    parallel_for(block.size(), [&](std::size_t i) {
      score(items_of(history, block[i]), std::span(scores).subspan(i * width, width));
    });
    CAPSTAN_TRY(evaluator.add(block, scores));
  }
  return ok_status();
}

Result<RankingPart> evaluate_baseline(const Baseline& baseline, const Dataset& dataset,
                                      const RankingOptions& options, std::uint32_t partition,
                                      std::uint32_t num_partitions) {
  CAPSTAN_ASSIGN(auto evaluator, RankingEvaluator::create(dataset, options));
  const UserItems history = history_items(dataset, options.trained_on);
  const auto users = partition_of(evaluator.users(), partition, num_partitions);
  CAPSTAN_TRY(add_all(evaluator, dataset, history, users,
                      [&](std::span<const std::uint32_t> known, std::span<float> out) {
                        baseline.scores(known, out);
                      })
                  .wrap(baseline.name()));
  return evaluator.take();
}

}  // namespace capstan
