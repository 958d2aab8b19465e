#include "cli/plot/report_charts.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace capstan {
namespace {

namespace json = boost::json;

Chart empty_chart(Chart::Kind kind, std::string title, std::string x_label, std::string y_label) {
  Chart chart;
  chart.kind = kind;
  chart.title = std::move(title);
  chart.x_label = std::move(x_label);
  chart.y_label = std::move(y_label);
  return chart;
}

double number(const json::value* value) {
  return value != nullptr && value->is_number() ? value->to_number<double>()
                                                : std::numeric_limits<double>::quiet_NaN();
}

double number_in(const json::object& object, const std::string& key) {
  return number(object.if_contains(key));
}

const json::array* array_in(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

const json::object* object_in(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? &value->get_object() : nullptr;
}

Series loss_of(const ReportFile& report) {
  Series series;
  const json::array* passes = array_in(report.json, "passes");
  if (passes == nullptr) return series;
  for (const json::value& pass : *passes) {
    if (!pass.is_object()) continue;
    series.points.emplace_back(number_in(pass.get_object(), "pass"), number_in(pass.get_object(), "loss"));
  }
  return series;
}

// What early stopping watches, or would.
std::string watched_in(const ReportFile& report) {
  const json::array* validations = array_in(report.json, "validations");
  if (validations == nullptr || validations->empty() || !validations->front().is_object()) return "";
  const json::object* result = object_in(validations->front().get_object(), "result");
  const json::value* watched = result == nullptr ? nullptr : result->if_contains("watched");
  return watched != nullptr && watched->is_string() ? std::string(watched->get_string()) : "";
}

Series validation_of(const ReportFile& report, const std::string& metric) {
  Series series;
  const json::array* validations = array_in(report.json, "validations");
  if (metric.empty() || validations == nullptr) return series;
  for (const json::value& value : *validations) {
    if (!value.is_object()) continue;
    const json::object* result = object_in(value.get_object(), "result");
    if (result == nullptr || !result->contains(metric)) continue;
    series.points.emplace_back(number_in(value.get_object(), "pass"), number_in(*result, metric));
  }
  return series;
}

const json::object* curves_in(const ReportFile& report) {
  const json::object* model = report.figures("model");
  return model == nullptr ? nullptr : object_in(*model, "curves");
}

Series curve_of(const ReportFile& report, const char* name) {
  Series series;
  const json::object* curves = curves_in(report);
  const json::array* points = curves == nullptr ? nullptr : array_in(*curves, name);
  if (points == nullptr) return series;
  for (const json::value& point : *points) {
    if (!point.is_array() || point.get_array().size() != 2) continue;
    series.points.emplace_back(number(&point.get_array()[0]), number(&point.get_array()[1]));
  }
  return series;
}

Series reliability_of(const ReportFile& report) {
  Series series;
  const json::object* curves = curves_in(report);
  const json::array* bins = curves == nullptr ? nullptr : array_in(*curves, "reliability");
  if (bins == nullptr) return series;
  for (const json::value& bin : *bins) {
    if (!bin.is_object()) continue;
    series.points.emplace_back(number_in(bin.get_object(), "predicted"),
                               number_in(bin.get_object(), "observed"));
  }
  return series;
}

// Shares of pushes by the updates of their shard since their pull.
Series staleness_of(const ReportFile& report) {
  Series series;
  const json::array* counts = array_in(report.json, "staleness");
  if (counts == nullptr) return series;
  double total = 0.0;
  for (const json::value& count : *counts) total += number(&count);
  if (!(total > 0.0)) return series;
  for (std::size_t i = 0; i < counts->size(); ++i)
    series.points.emplace_back(static_cast<double>(i), 100.0 * number(&(*counts)[i]) / total);
  return series;
}

// Buckets are 0, 1, 2-3, 4-7, ...; those behind the last that has anything are left out.
void name_staleness(Chart& chart) {
  std::size_t used = 0;
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      if (series.points[i].second > 0.0) used = std::max(used, i + 1);
    }
  }
  for (Series& series : chart.series) series.points.resize(std::min(series.points.size(), used));
  for (std::size_t i = 0; i < used; ++i) {
    const std::uint64_t first = i == 0 ? 0 : 1ULL << (i - 1), last = i == 0 ? 0 : (1ULL << i) - 1;
    chart.categories.push_back(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
  }
}

// "10" of the first figure "ndcg@10" beside which the same cut of coverage stands; empty: there is none.
std::string common_cut(const std::vector<ReportFile>& reports) {
  for (const ReportFile& report : reports) {
    const json::object* model = report.figures("model");
    if (model == nullptr) continue;
    for (const auto& [key, value] : *model) {
      const std::string name(key.data(), key.size());
      if (name.starts_with("ndcg@") && model->contains("coverage@" + name.substr(5))) return name.substr(5);
    }
  }
  return "";
}

Chart trade_off(const std::vector<ReportFile>& reports, const std::vector<std::string>& names) {
  const std::string cut = common_cut(reports);
  Chart chart =
      empty_chart(Chart::Kind::kPoints, "Accuracy and how much of the catalogue is shown",
                  fmt::format("coverage@{}: share of all items in somebody's list", cut), "ndcg@" + cut);
  if (cut.empty()) return chart;
  std::set<std::string> baselines;  // the same in every report on the same data
  for (std::size_t i = 0; i < reports.size(); ++i) {
    for (const std::string& who : reports[i].models()) {
      const json::object& figures = *reports[i].figures(who);
      const double x = number_in(figures, "coverage@" + cut), y = number_in(figures, "ndcg@" + cut);
      if (!std::isfinite(x) || !std::isfinite(y)) continue;
      const bool model = who == "model";
      if (!model && !baselines.insert(fmt::format("{} {} {}", who, x, y)).second) continue;
      chart.series.push_back({model ? names[i] : who, {{x, y}}});
    }
  }
  return chart;
}

// "distance@10" of the first report of `capstan rerank`; empty: there is none.
std::string distance_in(const std::vector<ReportFile>& reports) {
  for (const ReportFile& report : reports) {
    const json::array* settings = array_in(report.json, "rerank");
    if (settings == nullptr || settings->empty() || !settings->front().is_object()) continue;
    for (const auto& [key, value] : settings->front().get_object()) {
      const std::string name(key.data(), key.size());
      if (name.starts_with("distance@")) return name;
    }
  }
  return "";
}

// Of each setting of the steps, by its weight; the model's own order stands first in the report and is left
// out.
Chart diversity(const std::vector<ReportFile>& reports) {
  const std::string distance = distance_in(reports);
  const std::string ndcg = distance.empty() ? "" : "ndcg" + distance.substr(distance.find('@'));
  Chart chart = empty_chart(Chart::Kind::kLines, "Accuracy and how unlike the items of a list are",
                            distance + ": mean over the pairs of a list", ndcg);
  for (const ReportFile& report : reports) {
    const json::array* settings = array_in(report.json, "rerank");
    if (distance.empty() || settings == nullptr) continue;
    const json::value* steps = report.json.if_contains("steps");
    Series series{steps != nullptr && steps->is_string() ? std::string(steps->get_string()) : report.path,
                  {}};
    for (std::size_t i = 1; i < settings->size(); ++i) {
      if (!(*settings)[i].is_object()) continue;
      const json::object& figures = (*settings)[i].get_object();
      const double x = number_in(figures, distance), y = number_in(figures, ndcg);
      if (std::isfinite(x) && std::isfinite(y)) series.points.emplace_back(x, y);
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

std::vector<std::string> names_of(const std::vector<ReportFile>& reports) {
  std::set<std::string> jobs;
  for (const ReportFile& report : reports) jobs.insert(report.job());
  std::vector<std::string> names;
  names.reserve(reports.size());
  for (const ReportFile& report : reports)
    names.push_back(jobs.size() == reports.size() ? report.job() : report.path);
  return names;
}

template <typename SeriesOf>
void fill(Chart& chart, const std::vector<ReportFile>& reports, const std::vector<std::string>& names,
          SeriesOf series_of) {
  for (std::size_t i = 0; i < reports.size(); ++i) {
    Series series = series_of(reports[i]);
    if (series.points.empty()) continue;
    series.name = names[i];
    chart.series.push_back(std::move(series));
  }
}

}  // namespace

std::vector<std::string> chart_names() {
  return {"loss",        "validation", "roc",       "precision_recall",
          "reliability", "staleness",  "trade_off", "diversity"};
}

std::vector<NamedChart> charts_of(const std::vector<ReportFile>& reports) {
  using Kind = Chart::Kind;
  const auto names = names_of(reports);
  std::string metric;
  for (const ReportFile& report : reports) metric = metric.empty() ? watched_in(report) : metric;
  std::vector<NamedChart> all;
  const auto add = [&](const std::string& name, Chart chart, const auto& series_of) -> Chart& {
    fill(chart, reports, names, series_of);
    all.push_back({name, std::move(chart)});
    return all.back().chart;
  };
  const auto curve = [](const char* name) {
    return [name](const ReportFile& report) { return curve_of(report, name); };
  };
  const auto validation = [&](const ReportFile& report) { return validation_of(report, metric); };
  add("loss", empty_chart(Kind::kLines, "Training loss", "pass", "mean loss of an example"), loss_of)
      .whole_x = true;
  add("validation", empty_chart(Kind::kLines, "Validation", "pass", metric), validation).whole_x = true;
  Chart& roc = add(
      "roc", empty_chart(Kind::kLines, "ROC on the test part", "false positive rate", "true positive rate"),
      curve("roc"));
  roc.unit_square = roc.diagonal = true;
  add("precision_recall",
      empty_chart(Kind::kLines, "Precision and recall on the test part", "recall", "precision"),
      curve("precision_recall"))
      .unit_square = true;
  add("reliability",
      empty_chart(Kind::kLines, "Reliability on the test part: 20 bins of equal mass", "mean prediction",
                  "share of positives"),
      reliability_of)
      .diagonal = true;
  name_staleness(add("staleness",
                     empty_chart(Kind::kBars, "Staleness of pushes", "updates of the shard since the pull",
                                 "share of pushes, %"),
                     staleness_of));
  all.push_back({"trade_off", trade_off(reports, names)});
  all.push_back({"diversity", diversity(reports)});
  std::erase_if(all, [](const NamedChart& each) { return each.chart.series.empty(); });
  return all;
}

}  // namespace capstan
