#include "worker/program/report_text.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

namespace capstan {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameWidth = 14;
constexpr std::size_t kColumnWidth = 14;

bool is_figures(const json::value& value) {
  return value.is_object() && value.as_object().contains("protocol");
}

// The metrics of the model's row, in the order of its JSON.
std::vector<std::string> columns_of(const json::object& figures) {
  static constexpr std::string_view kNotMetrics[] = {"protocol",        "users",    "test_items",
                                                     "cold_test_items", "examples", "warm_only"};
  std::vector<std::string> columns;
  for (const auto& [key, value] : figures) {
    const std::string_view name(key.data(), key.size());
    const bool metric =
        std::find(std::begin(kNotMetrics), std::end(kNotMetrics), name) == std::end(kNotMetrics);
    if (metric && (value.is_number() || value.is_null())) columns.emplace_back(name);
  }
  return columns;
}

std::string figure(const json::object& figures, const std::string& column) {
  const auto* value = figures.if_contains(column);
  return value != nullptr && value->is_number() ? fmt::format("{:.4f}", value->to_number<double>()) : "-";
}

std::string figures_table(const json::object& report) {
  const auto* model = report.if_contains("model");
  if (model == nullptr) return "";
  const auto columns = columns_of(model->as_object());
  std::string text = fmt::format("\ntest: {}", std::string(model->as_object().at("protocol").as_string()));
  if (const auto* users = model->as_object().if_contains("users")) {
    text += fmt::format(", {} users", users->to_number<std::uint64_t>());
  }
  text += "\n  " + fmt::format("{:{}}", "", kNameWidth);
  for (const auto& column : columns) text += fmt::format("{:>{}}", column, kColumnWidth);
  for (const auto& [key, value] : report) {
    if (!is_figures(value)) continue;
    text += fmt::format("\n  {:{}}", std::string_view(key.data(), key.size()), kNameWidth);
    for (const auto& column : columns)
      text += fmt::format("{:>{}}", figure(value.as_object(), column), kColumnWidth);
  }
  return text + "\n";
}

std::string comparisons_text(const json::object& report) {
  const auto* all = report.if_contains("comparisons");
  if (all == nullptr) return "";
  std::string text;
  for (const auto& each : all->as_array()) {
    const auto& ratio = each.at("ratio").as_object();
    if (!ratio.at("estimate").is_number() || !ratio.at("low").is_number()) continue;
    text += fmt::format("  {} of the model is {:.2f} x {} (95 % paired bootstrap: {:.2f} to {:.2f})\n",
                        std::string(each.at("metric").as_string()), ratio.at("estimate").to_number<double>(),
                        std::string(each.at("baseline").as_string()), ratio.at("low").to_number<double>(),
                        ratio.at("high").to_number<double>());
  }
  return text;
}

}  // namespace

std::string recommendations_text(std::string_view recommendations) {
  const json::value users = json::parse({recommendations.data(), recommendations.size()});
  std::string text;
  for (const auto& user : users.as_array()) {
    text += fmt::format("\nuser {} watched:", std::string(user.at("user").as_string()));
    const char* separator = " ";
    for (const auto& title : user.at("liked").as_array()) {
      text += separator + std::string(title.as_string());
      separator = " · ";
    }
    int rank = 0;
    for (const auto& item : user.at("items").as_array()) {
      text += fmt::format("\n  {:2}. {:44} {}", ++rank, std::string(item.at("title").as_string()),
                          std::string(item.at("reason").as_string()));
    }
    text += "\n";
  }
  return text;
}

std::string report_text(const JobConfig& job, std::string_view report_json) {
  const json::value parsed = json::parse({report_json.data(), report_json.size()});
  const json::object& report = parsed.as_object();
  std::string text = figures_table(report) + comparisons_text(report);
  if (job.task == Task::kRanking && job.data.split.method != SplitMethod::kGlobalTime &&
      job.data.split.method != SplitMethod::kFiles) {
    text +=
        "  Splits by user let the model learn from events later than those it is asked for; only a global "
        "time cut "
        "does not.\n";
  }
  const auto* recommendations = report.if_contains("recommendations");
  return recommendations == nullptr ? text : text + recommendations_text(json::serialize(*recommendations));
}

}  // namespace capstan
