// RankPart: ranking evaluation of the model on a split. A partition is a range of users.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "common/config/job_config.h"
#include "worker/eval/ranking_evaluator.h"
#include "worker/program/item_scorer.h"
#include "worker/program/part.h"

namespace capstan {

// The options under which a job's splits are judged, for the model and for the baselines beside it.
Result<RankingOptions> ranking_options(const JobConfig& job, EvalSplit split);

class RankPart final : public Part {
 public:
  // All outlive the part.
  static Result<std::unique_ptr<RankPart>> create(const JobConfig& job, const Dataset& data,
                                                  const Model& model, EvalSplit split);

  std::uint64_t num_batches(const WorkItem& item) const override;
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  // An encoded RankingPart.
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  RankPart(const JobConfig& job, const Dataset& data, const Model& model, const RankingOptions& options,
           const Examples& rows, RankingEvaluator evaluator);
  std::span<const std::uint32_t> users_of(const WorkItem& item, std::uint64_t batch) const;

  const Dataset& data_;
  RankingOptions options_;
  bool sampled_;
  ItemScorer scorer_;
  RankingEvaluator asked_;                             // knows the users and their judged items
  std::map<std::uint32_t, RankingEvaluator> running_;  // by partition
};

}  // namespace capstan
