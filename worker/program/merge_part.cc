#include "worker/program/merge_part.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <span>

#include "common/merged_report.h"
#include "worker/eval/calibration.h"
#include "worker/eval/curves.h"
#include "worker/eval/kept_values.h"
#include "worker/eval/metrics_list.h"
#include "worker/eval/pointwise_evaluator.h"
#include "worker/eval/ranking_part.h"
#include "worker/program/report_text.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr std::string_view kBaseline = "baseline:";
constexpr std::uint32_t kReliabilityBins = 20;
constexpr std::size_t kCurvePoints = 200;

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

// What a split's parts give together: the figures by name, and as JSON.
struct Figures {
  std::map<std::string, double> metrics;
  json::object object;
  RankingPart users;       // ranking
  PointwisePart examples;  // ctr, rating
};

Result<Figures> figures(std::span<const Buffer> inputs, const JobConfig& job) {
  Figures result;
  if (job.task == Task::kRanking) {
    CAPSTAN_ASSIGN(RankingSummary summary, merge_ranking(inputs));
    result.object = json::parse(to_json(summary)).as_object();
    result.metrics = std::move(summary.metrics);
    result.users = std::move(summary.users);
    return result;
  }
  CAPSTAN_ASSIGN(PointwiseSummary summary, merge_pointwise(inputs, job));
  result.object = json::parse(to_json(summary)).as_object();
  result.metrics = std::move(summary.metrics);
  result.examples = std::move(summary.all);
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

// The model against one of the baselines, by the first cut-off.
void add_comparisons(const JobConfig& job, const std::string& name, const RankingPart& model,
                     const RankingPart& baseline, json::array& comparisons) {
  for (const auto& metric : {"recall", "ndcg"}) {
    const std::string column = fmt::format("{}@{}", metric, job.evaluate.at.front());
    const auto compared = compare(model, baseline, column, {job.evaluate.bootstrap, 0.95, job.seed});
    if (!compared.ok()) continue;  // a metric that the job does not ask for
    comparisons.push_back({{"baseline", name},
                           {"metric", column},
                           {"ratio", interval_json(compared->ratio)},
                           {"difference", interval_json(compared->difference)}});
  }
}

// What `capstan plot` draws of a classifier.
json::object curves_json(const PointwisePart& examples) {
  const auto points = [](const std::vector<CurvePoint>& curve) {
    json::array array;
    for (const CurvePoint& point : curve) array.push_back(json::array{point.x, point.y});
    return array;
  };
  json::array bins;
  for (const ReliabilityBin& bin : reliability(examples.scores, examples.labels, kReliabilityBins))
    bins.push_back({{"predicted", bin.predicted}, {"observed", bin.observed}, {"examples", bin.examples}});
  const Curves curves = classifier_curves(examples.scores, examples.labels, kCurvePoints);
  return {{"roc", points(curves.roc)},
          {"precision_recall", points(curves.precision_recall)},
          {"positives", curves.positives},
          {"reliability", std::move(bins)}};
}

void keep(const std::string& name, const Figures& judged, const Dataset& data, KeptValues& kept) {
  kept.scores = judged.examples.scores;
  kept.labels = judged.examples.labels;
  const RankingPart& users = judged.users;
  if (kept.users.empty()) {
    for (const std::uint32_t user : users.users) kept.users.push_back(kept_name(data.user_names[user]));
  }
  if (users.users.size() != kept.users.size()) return;
  for (std::size_t column = 0; column < users.metrics.size(); ++column) {
    std::vector<float>& values = kept.figures[name + "/" + users.metrics[column]];
    for (std::size_t at = column; at < users.values.size(); at += users.metrics.size())
      values.push_back(static_cast<float>(users.values[at]));
  }
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
  KeptValues kept;
  std::optional<Figures> model;
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
    CAPSTAN_ASSIGN(Figures judged, figures(inputs, job_));
    report[name] = judged.object;
    if (job_.task == Task::kCtr) report[name].as_object()["curves"] = curves_json(judged.examples);
    if (job_.evaluate.keep_values) keep(name, judged, data_, kept);
    if (name == "model") {
      model = std::move(judged);
    } else if (model && job_.evaluate.bootstrap > 0) {
      add_comparisons(job_, name, model->users, judged.users, comparisons);
    }
  }
  if (!comparisons.empty()) report["comparisons"] = comparisons;
  if (model) report["evaluated_on_test"] = "once, after training and tuning had ended";
  const std::string text = report_text(job_, json::serialize(report));
  report["text"] = text;
  MergedReport merged;
  if (job_.evaluate.keep_values && model) {
    CAPSTAN_ASSIGN(merged.values, encode(kept));
  }
  if (merged.values.size() > job_.cluster.max_frame_bytes / 2) {  // the result travels as one frame
    report["values_left_out"] = fmt::format("{} bytes are more than half of cluster.max_frame_bytes = {}",
                                            merged.values.size(), job_.cluster.max_frame_bytes);
    merged.values = {};
  }
  merged.json = json::serialize(report);
  return encode(merged);
}

}  // namespace capstan
