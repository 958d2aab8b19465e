// RecommendPart: what the trained model would show a few users, each item with its reason.
#pragma once

#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "worker/eval/history.h"
#include "worker/eval/reasons.h"
#include "worker/program/item_scorer.h"
#include "worker/program/part.h"

namespace capstan {

struct RecommendRequest {
  std::vector<std::uint32_t> users;    // indices of the dataset
  std::uint32_t count = 10;            // items a user
  std::vector<std::uint32_t> without;  // items taken out of every history; they are not recommended either
};

struct Recommendation {
  std::uint32_t item = 0;
  double score = 0.0;
  std::vector<Contribution> reasons;  // without one of these the score is lower by its value
};
struct UserRecommendations {
  std::uint32_t user = 0;
  std::vector<std::uint32_t>
      liked;  // of the history the best rated, newest first; without ratings the newest
  std::vector<Recommendation> items;  // best first
};

// JSON: [{"user", "liked": [title], "liked_by": "rating" | "time", "items": [{"item", "title", "score",
// "reason", "because": [{"item", "title", "value"}]}]}]
std::string to_json(const std::vector<UserRecommendations>& all, const Dataset& data);

// The history is what the model was trained on: train, and validation when the job trains on it. Scores are
// the model's, less the contributions of the items taken out (FoldIn); a model without item vectors has no
// reasons and keeps its scores.
class RecommendPart final : public Part {
 public:
  // All outlive the part.
  RecommendPart(const JobConfig& job, const Dataset& data, const Model& model, RecommendRequest request);

  std::uint64_t num_batches(const WorkItem&) const override { return request_.users.empty() ? 0 : 1; }
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem& item) override;  // the JSON

 private:
  History trained_on() const;
  std::vector<std::uint32_t> liked(std::uint32_t user) const;

  const JobConfig& job_;
  const Dataset& data_;
  const Model& model_;
  RecommendRequest request_;
  ItemScorer scorer_;
  std::vector<UserRecommendations> results_;
};

// A few users with enough history to judge a list by, drawn by seed.
std::vector<std::uint32_t> users_to_show(const Dataset& data, std::uint32_t count, std::uint64_t seed);

}  // namespace capstan
