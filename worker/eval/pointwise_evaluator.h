// PointwiseEvaluator: the figures of ctr and rating jobs, from one score an example.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/config/job_config.h"
#include "common/result.h"
#include "worker/eval/metrics_list.h"

namespace capstan {

// Some examples with their scores, in the split's order.
struct PointwisePart {
  std::vector<float> scores, labels;  // ctr: probabilities and 0 or 1; rating: predictions and ratings
  std::vector<std::uint32_t> users;   // beside them, or empty: then there is no GAUC

  // kInvalid when a score is NaN, counted from `first_example` in the message. users may be empty.
  Status add(std::span<const float> more_scores, std::span<const float> more_labels,
             std::span<const std::uint32_t> more_users, std::uint64_t first_example);
};

Buffer encode(const PointwisePart& part);
// kCorrupt for bytes that encode() cannot have made.
Result<PointwisePart> decode_pointwise_part(std::span<const std::byte> bytes);

struct PointwiseOptions {
  Task task = Task::kCtr;
  std::vector<MetricName> metrics;
  float threshold = 0.5F;  // of accuracy, precision, recall and F1
  std::uint32_t ece_bins = 20;
};

struct PointwiseSummary {
  std::uint64_t examples = 0;
  std::map<std::string, double> metrics;
  std::vector<std::string>
      undefined;  // asked for, but meaningless here: AUC of one class, GAUC without users
  PointwisePart all;
};

// `parts` in partition order. kInvalid when there is no example, or (ctr) a score or label lies outside [0,
// 1].
Result<PointwiseSummary> merge(const std::vector<PointwisePart>& parts, const PointwiseOptions& options);

// {"protocol": "every example of the split", "examples": n, "auc": x, ...}; null for what is undefined.
std::string to_json(const PointwiseSummary& summary);

}  // namespace capstan
