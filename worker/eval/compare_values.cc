#include "worker/eval/compare_values.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "worker/eval/auc.h"
#include "worker/eval/metrics_list.h"
#include "worker/eval/paired_auc.h"

namespace capstan {
namespace {

constexpr double kLevel = 0.05;
constexpr double kCertain = 1e-7;  // as in logloss()

std::string_view base_of(std::string_view metric) {
  return metric.substr(0, metric.find('@'));
}

const MetricInfo* info_of(std::string_view metric, bool ranking) {
  for (const MetricInfo& info : all_metrics()) {
    if (info.name == base_of(metric) && info.ranking == ranking) return &info;
  }
  return nullptr;
}

bool known_pointwise(std::string_view metric) {
  return metric == "auc" || metric == "logloss" || metric == "accuracy" || metric == "rmse" ||
         metric == "mae";
}

// What each example adds to the mean; of RMSE its square.
std::vector<double> pointwise_values(const KeptValues& kept, std::string_view metric) {
  std::vector<double> values(kept.scores.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto score = static_cast<double>(kept.scores[i]), label = static_cast<double>(kept.labels[i]);
    if (metric == "logloss") {
      const double p = std::clamp(score, kCertain, 1.0 - kCertain);
      values[i] = -(label * std::log(p) + (1.0 - label) * std::log(1.0 - p));
    } else if (metric == "accuracy") {
      values[i] = (score >= 0.5) == (label > 0.5) ? 1.0 : 0.0;
    } else {
      values[i] = metric == "mae" ? std::abs(score - label) : (score - label) * (score - label);
    }
  }
  return values;
}

// One figure of each user, by ascending name.
Result<std::vector<double>> ranking_values(const KeptValues& kept, const std::string& model,
                                           const std::string& metric) {
  const auto found = kept.figures.find(model + "/" + metric);
  if (found == kept.figures.end())
    return make_error(ErrorCode::kNotFound, fmt::format("no {} of each user of {}", metric, model));
  std::vector<std::size_t> order(kept.users.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t x, std::size_t y) { return kept.users[x] < kept.users[y]; });
  std::vector<double> values;
  values.reserve(order.size());
  for (const std::size_t i : order) values.push_back(static_cast<double>(found->second[i]));
  return values;
}

Status check_same(const KeptValues& a, const KeptValues& b) {
  if (a.labels != b.labels)
    return make_error(ErrorCode::kInvalid, "they were not judged on the same examples");
  auto of_a = a.users, of_b = b.users;
  std::sort(of_a.begin(), of_a.end());
  std::sort(of_b.begin(), of_b.end());
  if (of_a == of_b) return ok_status();
  std::vector<std::string> alone;
  std::set_symmetric_difference(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                                std::back_inserter(alone));
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("they were not judged on the same users: {} and {}, of which {} stand in only "
                  "one of them, such as user {}",
                  of_a.size(), of_b.size(), alone.size(), alone.front()));
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Result<ComparedMetric> compare_auc(const KeptValues& a, const KeptValues& b, ComparedMetric row,
                                   const BootstrapOptions& options) {
  const auto test = delong(a.scores, b.scores, a.labels);
  const auto interval = bootstrap_auc_difference(a.scores, b.scores, a.labels, options);
  const auto of_a = auc(a.scores, a.labels), of_b = auc(b.scores, b.labels);
  if (!test || !interval || !of_a || !of_b)
    return make_error(ErrorCode::kInvalid, "the labels are of one class: there is no AUC");
  row.a = *of_a;
  row.b = *of_b;
  row.difference = *interval;
  row.mean_test = *test;
  return row;
}

}  // namespace

bool ComparedMetric::differs() const {
  return mean_corrected < kLevel &&
         (!wilcoxon || (wilcoxon_corrected < kLevel && wilcoxon->sign == mean_test.sign));
}

bool ComparedMetric::contradicts() const {
  return mean_corrected < kLevel && wilcoxon && wilcoxon_corrected < kLevel &&
         wilcoxon->sign != mean_test.sign;
}

std::vector<std::string> comparable_metrics(const KeptValues& a, const std::string& model_a,
                                            const KeptValues& b, const std::string& model_b,
                                            const std::vector<std::string>& reported) {
  std::vector<std::string> metrics;
  const auto fits = [&](const std::string& metric) {
    if (a.users.empty()) return known_pointwise(metric);
    return a.figures.contains(model_a + "/" + metric) && b.figures.contains(model_b + "/" + metric);
  };
  std::copy_if(reported.begin(), reported.end(), std::back_inserter(metrics), fits);
  std::stable_sort(metrics.begin(), metrics.end(), [&](const std::string& x, const std::string& y) {
    return info_of(x, !a.users.empty()) < info_of(y, !a.users.empty());
  });
  return metrics;
}

Result<ComparedMetric> compare_metric(const KeptValues& a, const std::string& model_a, const KeptValues& b,
                                      const std::string& model_b, const std::string& metric,
                                      const BootstrapOptions& options) {
  CAPSTAN_TRY(check_same(a, b));
  const bool ranking = !a.users.empty();
  const MetricInfo* info = info_of(metric, ranking);
  ComparedMetric row;
  row.metric = metric;
  row.higher_is_better = info == nullptr || info->higher_is_better;
  row.pairs = ranking ? a.users.size() : a.scores.size();
  if (row.pairs == 0) return make_error(ErrorCode::kInvalid, "nothing was judged");
  if (metric == "auc") return compare_auc(a, b, std::move(row), options);
  std::vector<double> of_a, of_b;
  if (ranking) {
    CAPSTAN_ASSIGN(of_a, ranking_values(a, model_a, metric));
    CAPSTAN_ASSIGN(of_b, ranking_values(b, model_b, metric));
  } else {
    of_a = pointwise_values(a, metric);
    of_b = pointwise_values(b, metric);
  }
  const bool root = metric == "rmse";
  row.a = root ? std::sqrt(mean(of_a)) : mean(of_a);
  row.b = root ? std::sqrt(mean(of_b)) : mean(of_b);
  row.difference =
      root ? bootstrap_root_difference(of_a, of_b, options) : bootstrap_difference(of_a, of_b, options);
  row.mean_test = paired_t(of_a, of_b);
  row.wilcoxon = wilcoxon(of_a, of_b);
  return row;
}

void correct(std::vector<ComparedMetric>& rows) {
  std::vector<double> means, ranks;
  for (const auto& row : rows) {
    means.push_back(row.mean_test.p);
    if (row.wilcoxon) ranks.push_back(row.wilcoxon->p);
  }
  means = holm(means);
  ranks = holm(ranks);
  std::size_t next = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].mean_corrected = means[i];
    if (rows[i].wilcoxon) rows[i].wilcoxon_corrected = ranks[next++];
  }
}

}  // namespace capstan
