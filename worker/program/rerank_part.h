// RerankPart: what the job's re-ranking steps make of the model's lists on the test part, setting by setting.
// A partition is a range of users.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "worker/eval/ranking_evaluator.h"
#include "worker/program/item_scorer.h"
#include "worker/program/part.h"
#include "worker/rerank/chain.h"

namespace capstan {

// The model's own order and then each setting of the steps.
Result<std::vector<RerankSetting>> judged_settings(const Reranking& reranking);

// One RankingPart a setting, on full ranking with the first cut-off of the job: recall, ndcg, novelty,
// coverage and gini, and of each user's list "distance" (intra_list_distance) and, with categories,
// "calibration".
Buffer encode_rerank_parts(const std::vector<RankingPart>& parts);
Result<std::vector<RankingPart>> decode_rerank_parts(std::span<const std::byte> bytes);

class RerankPart final : public Part {
 public:
  // All outlive the part. kInvalid when a step needs item vectors that the model has not, or when the job
  // asks for sampled ranking.
  static Result<std::unique_ptr<RerankPart>> create(const JobConfig& job, const Dataset& data,
                                                    const Model& model, const Reranking& reranking);

  std::uint64_t num_batches(const WorkItem& item) const override;
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem& item) override;

 private:
  using Judges = std::vector<RankingEvaluator>;  // one a setting

  RerankPart(const JobConfig& job, const Dataset& data, const Model& model, RankingOptions options,
             RankingEvaluator asked, RerankChain chain, std::vector<RerankSetting> settings);
  std::span<const std::uint32_t> users_of(const WorkItem& item, std::uint64_t batch) const;
  Result<Judges> make_judges() const;
  // [users, num_items]: scores of which the order is the setting's.
  std::vector<float> ordered(const RerankSetting& setting, std::span<const std::uint32_t> users,
                             std::span<const float> scores) const;
  void add_list_figures(RankingPart& part) const;

  const JobConfig& job_;
  const Dataset& data_;
  const Model& model_;
  RankingOptions options_;
  std::vector<RerankSetting> settings_;
  UserItems history_;
  ItemScorer scorer_;
  RankingEvaluator asked_;
  RerankChain chain_;
  std::map<std::uint32_t, Judges> running_;  // by partition
};

// kInvalid: a step compares item vectors, and the model has none.
Status check_rerank_vectors(const RerankChain& chain, const Model& model);

}  // namespace capstan
