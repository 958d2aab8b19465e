// The list of metrics: names that a job file may use, for which task, and which way is better.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

struct MetricInfo {
  std::string_view name;                              // "ndcg", without a cut-off
  bool ctr = false, rating = false, ranking = false;  // tasks that have it
  bool at_k = false;                                  // written "ndcg@10"
  bool higher_is_better = true;
  bool per_user = false;     // the mean over users of a figure that each user has; can be bootstrapped
  bool for_stopping = true;  // may be watched by early stopping
  std::string_view meaning;  // one line for people
};

std::span<const MetricInfo> all_metrics();

// A metric with its cut-off; k is 0 for one without.
struct MetricName {
  const MetricInfo* info = nullptr;
  std::uint32_t k = 0;

  std::string text() const;  // "ndcg@10"
};

// Reads "ndcg@10", "auc"; a name alone of an at_k metric gets `default_k`. kInvalid names the task's metrics
// when the word is unknown to the task.
Result<MetricName> parse_metric(std::string_view text, Task task, std::uint32_t default_k);

// What EvaluateConfig asks for: its metrics at each of its cut-offs, or the task's usual ones when it names
// none.
Result<std::vector<MetricName>> metrics_of(const EvaluateConfig& config, Task task);

// Whether `value` is better than `best`; NaN never is.
bool is_better(const MetricInfo& metric, double value, double best);

}  // namespace capstan
