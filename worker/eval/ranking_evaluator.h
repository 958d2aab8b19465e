// RankingEvaluator: from scores of items to the ranking figures and the top list of each user.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "worker/data/dataset.h"
#include "worker/eval/history.h"
#include "worker/eval/judged_items.h"
#include "worker/eval/metrics_list.h"
#include "worker/eval/ranking_part.h"

namespace capstan {

struct RankingOptions {
  JudgedItems judged;  // the split, and full or sampled ranking
  // What the judged model was trained on. A test item that nobody has there is cold: it always counts as a
  // miss.
  History trained_on = History::kTrain;
  std::vector<MetricName> metrics;
};

// One caller at a time; add() spreads its users over the TBB arena it is called in.
class RankingEvaluator {
 public:
  // kInvalid when the split asks nobody for anything, or a test item stands in its user's seen history.
  // `dataset` must outlive the evaluator.
  static Result<RankingEvaluator> create(const Dataset& dataset, RankingOptions options);

  std::span<const std::uint32_t> users() const { return users_; }  // who has test items, ascending
  const std::string& protocol() const { return part_.protocol; }

  // The items that are ranked for one user, ascending.
  std::vector<std::uint32_t> judged_items(std::uint32_t user) const;

  // Judges the users of a block, each of whom has test items; a user is judged once in a part.
  // scores: [users, num_items]. kInvalid names a NaN; then nothing of the block is kept.
  Status add(std::span<const std::uint32_t> users, std::span<const float> scores);
  // The same for one user with the scores of judged_items(user) alone.
  Status add_judged(std::uint32_t user, std::span<const float> scores);

  // What was added since the last call, in user order.
  RankingPart take();

 private:
  struct Outcome;

  RankingEvaluator(const Dataset& dataset, RankingOptions options)
      : dataset_(&dataset), options_(std::move(options)) {}
  Status index();
  Outcome judge(std::uint32_t user, std::span<const std::uint32_t> items,
                std::span<const float> scores) const;
  void keep(const Outcome& outcome);

  const Dataset* dataset_;
  RankingOptions options_;
  UserItems seen_;
  std::vector<std::uint32_t> counts_;  // [num_items]: users of each item in what the model was trained on
  // The same in the training part alone: novelty is measured by one scale for whatever is compared.
  std::vector<std::uint32_t> train_counts_;
  std::vector<std::uint32_t> users_;
  RankingPart part_;
};

}  // namespace capstan
