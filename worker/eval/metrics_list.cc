#include "worker/eval/metrics_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace capstan {
namespace {

constexpr MetricInfo ctr(std::string_view name, bool higher, bool stopping, std::string_view meaning) {
  return {name, true, false, false, false, higher, false, stopping, meaning};
}
constexpr MetricInfo error(std::string_view name, std::string_view meaning) {
  return {name, true, true, false, false, false, false, true, meaning};
}
constexpr MetricInfo ranked(std::string_view name, bool per_user, bool stopping, std::string_view meaning) {
  return {name, false, false, true, true, true, per_user, stopping, meaning};
}
constexpr MetricInfo lower_is_better(MetricInfo metric) {
  metric.higher_is_better = false;
  return metric;
}

constexpr std::array kMetrics = {
    ctr("auc", true, true, "chance that a positive scores above a negative"),
    ctr("gauc", true, true, "AUC within each user, weighted by the user's examples"),
    ctr("logloss", false, true, "mean negative log-likelihood"),
    ctr("accuracy", true, true, "share of examples on the right side of the threshold"),
    ctr("precision", true, true, "share of predicted positives that are positive"),
    ctr("recall", true, true, "share of positives that are predicted"),
    ctr("f1", true, true, "harmonic mean of precision and recall"),
    ctr("calibration", true, false, "predicted over observed positives; 1 is right"),
    ctr("ece", false, true, "expected calibration error over equal-mass bins"),
    error("rmse", "root of the mean squared error"),
    error("mae", "mean absolute error"),
    ranked("hr", true, true, "share of users with at least one hit in the first k"),
    ranked("recall", true, true, "hits in the first k over the user's test items"),
    ranked("precision", true, true, "hits in the first k over k"),
    ranked("ndcg", true, true, "discounted gain in the first k over the best possible"),
    ranked("mrr", true, true, "1 / rank of the first hit, 0 beyond k"),
    ranked("map", true, true, "mean precision at the hits in the first k"),
    ranked("novelty", true, false, "mean self-information of the first k, in bits"),
    ranked("coverage", false, false, "share of the catalogue that stands in some user's first k"),
    lower_is_better(ranked("gini", false, false, "inequality of how often items are shown")),
};

bool has_task(const MetricInfo& metric, Task task) {
  switch (task) {
    case Task::kCtr:
      return metric.ctr;
    case Task::kRating:
      return metric.rating;
    case Task::kRanking:
      return metric.ranking;
    case Task::kDirect:
      break;
  }
  return false;
}

std::string names_for(Task task) {
  std::string names;
  for (const MetricInfo& metric : kMetrics) {
    if (!has_task(metric, task)) continue;
    names += fmt::format("{}{}{}", names.empty() ? "" : ", ", metric.name, metric.at_k ? "@k" : "");
  }
  return names;
}

std::vector<std::string> usual_metrics(Task task) {
  switch (task) {
    case Task::kCtr:
      return {"auc", "gauc", "logloss", "calibration", "ece"};
    case Task::kRating:
      return {"rmse", "mae"};
    case Task::kRanking:
    case Task::kDirect:
      break;
  }
  return {"hr", "recall", "precision", "ndcg", "mrr", "map", "novelty", "coverage", "gini"};
}

}  // namespace

std::span<const MetricInfo> all_metrics() {
  return kMetrics;
}

std::string MetricName::text() const {
  return info->at_k ? fmt::format("{}@{}", info->name, k) : std::string(info->name);
}

Result<MetricName> parse_metric(std::string_view text, Task task, std::uint32_t default_k) {
  const std::size_t at = text.find('@');
  const auto name = text.substr(0, at);
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(), [&](const MetricInfo& metric) {
    return metric.name == name && has_task(metric, task);
  });
  if (found == kMetrics.end()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("no metric \"{}\" for this task; there are {}", text, names_for(task)));
  }
  MetricName metric{&*found, found->at_k ? default_k : 0};
  if (at == std::string_view::npos) return metric;
  const char* const begin = text.data() + at + 1;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(begin, end, metric.k);
  if (!found->at_k || parsed.ec != std::errc() || parsed.ptr != end || metric.k == 0) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("\"{}\": {}", text,
                                  found->at_k ? "the cut-off after @ is a whole number above 0"
                                              : "this metric has no cut-off"));
  }
  return metric;
}

Result<std::vector<MetricName>> metrics_of(const EvaluateConfig& config, Task task) {
  const auto words = config.metrics.empty() ? usual_metrics(task) : config.metrics;
  const auto cuts = config.at.empty() ? std::vector<std::uint32_t>{10} : config.at;
  std::vector<MetricName> metrics;
  for (const std::string& word : words) {
    for (const std::uint32_t k : cuts) {
      CAPSTAN_ASSIGN(const MetricName metric, parse_metric(word, task, k));
      const bool known = std::any_of(metrics.begin(), metrics.end(), [&](const MetricName& other) {
        return other.info == metric.info && other.k == metric.k;
      });
      if (!known) metrics.push_back(metric);
    }
  }
  return metrics;
}

bool is_better(const MetricInfo& metric, double value, double best) {
  return metric.higher_is_better ? value > best : value < best;
}

}  // namespace capstan
