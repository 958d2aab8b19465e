#include "worker/program/merge_part.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <span>

#include "worker/eval/metrics_list.h"
#include "worker/eval/pointwise_evaluator.h"
#include "worker/eval/ranking_part.h"
#include "worker/program/report_text.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr std::string_view kBaseline = "baseline:";

Result<RankingSummary> merge_ranking(std::span<const Buffer> inputs) {
  std::vector<RankingPart> parts;
  for (const auto& input : inputs) {
    CAPSTAN_ASSIGN(RankingPart part, decode_ranking_part(input.bytes()));
    if (!part.users.empty()) parts.push_back(std::move(part));
  }
  return merge(parts);
}

Result<PointwiseSummary> merge_pointwise(std::span<const Buffer> inputs, const JobConfig& job) {
  std::vector<PointwisePart> parts;
  for (const auto& input : inputs) {
    CAPSTAN_ASSIGN(PointwisePart part, decode_pointwise_part(input.bytes()));
    parts.push_back(std::move(part));
  }
  PointwiseOptions options;
  options.task = job.task;
  CAPSTAN_ASSIGN(options.metrics, metrics_of(job.evaluate, job.task));
  return merge(parts, options);
}

// The split's figures by name, and as JSON.
struct Figures {
  std::map<std::string, double> metrics;
  json::object object;
};

Result<Figures> figures(std::span<const Buffer> inputs, const JobConfig& job) {
  Figures result;
  if (job.task == Task::kRanking) {
    CAPSTAN_ASSIGN(const RankingSummary summary, merge_ranking(inputs));
    result.metrics = summary.metrics;
    result.object = json::parse(to_json(summary)).as_object();
    return result;
  }
  CAPSTAN_ASSIGN(const PointwiseSummary summary, merge_pointwise(inputs, job));
  result.metrics = summary.metrics;
  result.object = json::parse(to_json(summary)).as_object();
  return result;
}

// The metric that early stopping watches: the job's, or the first that may be watched.
Result<MetricName> watched_metric(const JobConfig& job) {
  const std::uint32_t k = job.evaluate.at.empty() ? 10 : job.evaluate.at.front();
  if (!job.train.early_stop_metric.empty()) return parse_metric(job.train.early_stop_metric, job.task, k);
  CAPSTAN_ASSIGN(const auto metrics, metrics_of(job.evaluate, job.task));
  for (const auto& metric : metrics) {
    if (metric.info->for_stopping) return metric;
  }
  return make_error(ErrorCode::kInvalid, "no metric of the job can be watched by early stopping");
}

// null where a ratio has no value: the baseline got nothing right.
json::value interval_json(const Interval& interval) {
  const auto number = [](double value) {
    return std::isfinite(value) ? json::value(value) : json::value(nullptr);
  };
  return {{"estimate", number(interval.estimate)},
          {"low", number(interval.low)},
          {"high", number(interval.high)}};
}

}  // namespace

Result<Buffer> ValidMergePart::finish(const WorkItem& item) {
  CAPSTAN_ASSIGN(Figures result, figures(item.inputs, job_));
  CAPSTAN_ASSIGN(const MetricName metric, watched_metric(job_));
  const auto found = result.metrics.find(metric.text());
  if (found == result.metrics.end()) {
    return make_error(ErrorCode::kInvalid,
                      "validation has no " + metric.text() + "; add it to evaluate.metrics");
  }
  result.object["watched"] = metric.text();
  result.object["better"] = metric.info->higher_is_better ? found->second : -found->second;
  return Buffer::copy_of(json::serialize(result.object));
}

Result<Buffer> ReportMergePart::finish(const WorkItem& item) {
  json::object report;
  json::array comparisons;
  std::optional<RankingSummary> model;
  std::size_t at = 0;
  for (const auto& part : parts_) {
    if (part.name == "valid") continue;
    const auto inputs = std::span(item.inputs)
                            .subspan(std::min(at, item.inputs.size()),
                                     std::min<std::size_t>(part.partitions, item.inputs.size() - at));
    at += part.partitions;
    if (part.name == "recommend") {
      if (!inputs.empty()) report["recommendations"] = json::parse(std::string(inputs[0].text()));
      continue;
    }
    const std::string name = part.name == "test" ? "model" : part.name.substr(kBaseline.size());
    CAPSTAN_ASSIGN(Figures result, figures(inputs, job_));
    report[name] = result.object;
    if (job_.task != Task::kRanking) continue;
    CAPSTAN_ASSIGN(RankingSummary summary, merge_ranking(inputs));
    if (name == "model") {
      model = std::move(summary);
      continue;
    }
    if (!model || job_.evaluate.bootstrap == 0) continue;
    for (const auto& metric : {"recall", "ndcg"}) {
      const std::string column = fmt::format("{}@{}", metric, job_.evaluate.at.front());
      const auto compared =
          compare(model->users, summary.users, column, {job_.evaluate.bootstrap, 0.95, job_.seed});
      if (!compared.ok()) continue;  // a metric that the job does not ask for
      comparisons.push_back({{"baseline", name},
                             {"metric", column},
                             {"ratio", interval_json(compared->ratio)},
                             {"difference", interval_json(compared->difference)}});
    }
  }
  if (!comparisons.empty()) report["comparisons"] = comparisons;
  report["evaluated_on_test"] = "once, after training and tuning had ended";
  const std::string text = report_text(job_, json::serialize(report));
  report["text"] = text;
  return Buffer::copy_of(json::serialize(report));
}

}  // namespace capstan
