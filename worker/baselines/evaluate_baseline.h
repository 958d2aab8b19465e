// Evaluating a baseline: its scores of some users through the same evaluator as the model's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "common/result.h"
#include "worker/baselines/baseline.h"
#include "worker/eval/ranking_evaluator.h"

namespace capstan {

// Fills out [num_items] from a history. Called from several threads at once.
using HistoryScorer = std::function<void(std::span<const std::uint32_t> history, std::span<float> out)>;

// Adds `users` to the evaluator in blocks, scored from their items in `history` in the caller's TBB arena.
Status add_all(RankingEvaluator& evaluator, const Dataset& dataset, const UserItems& history,
               std::span<const std::uint32_t> users, const HistoryScorer& score);

// Judges a fitted baseline on one of `num_partitions` parts of the split's users; merge() joins the parts.
// options.trained_on says what the baseline was fitted on, and is also the history it scores from.
Result<RankingPart> evaluate_baseline(const Baseline& baseline, const Dataset& dataset,
                                      const RankingOptions& options, std::uint32_t partition,
                                      std::uint32_t num_partitions);

}  // namespace capstan
