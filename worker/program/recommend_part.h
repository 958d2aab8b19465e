// RecommendPart: what the trained model would show a few users, each item with its reason.
#pragma once

#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "worker/program/item_scorer.h"
#include "worker/program/part.h"

namespace capstan {

struct Recommendation {
  std::uint32_t item = 0;
  float score = 0.0F;
  std::string reason;
};
struct UserRecommendations {
  std::uint32_t user = 0;
  std::vector<std::uint32_t> liked;   // the latest of train, newest first
  std::vector<Recommendation> items;  // best first
};

// JSON: [{"user", "liked": [title], "items": [{"title", "score", "reason"}]}]
std::string to_json(const std::vector<UserRecommendations>& all, const Dataset& data);

class RecommendPart final : public Part {
 public:
  // All outlive the part. users: indices of the dataset.
  RecommendPart(const JobConfig& job, const Dataset& data, const Model& model,
                std::vector<std::uint32_t> users, std::uint32_t count);

  std::uint64_t num_batches(const WorkItem&) const override { return users_.empty() ? 0 : 1; }
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem& item) override;  // the JSON

 private:
  const Dataset& data_;
  std::vector<std::uint32_t> users_;
  std::uint32_t count_;
  ItemScorer scorer_;
  std::vector<UserRecommendations> results_;
};

// A few users with enough history to judge a list by, drawn by seed.
std::vector<std::uint32_t> users_to_show(const Dataset& data, std::uint32_t count, std::uint64_t seed);

}  // namespace capstan
