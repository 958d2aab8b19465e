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
constexpr std::size_t kWidestTitle = 60;  // longer ones push their reason to the right

// Of UTF-8: all bytes but those that continue a letter.
std::size_t letters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_figures(const json::value& value) {
  return value.is_object() && value.as_object().contains("protocol");
}

// The metrics of the model's row, in the job's order.
std::vector<std::string> columns_of(const JobConfig& job, const json::object& figures) {
  static constexpr std::string_view kNotMetrics[] = {"protocol", "users",     "test_items", "cold_test_items",
                                                     "examples", "warm_only", "new_users",  "better"};
  std::vector<std::string> columns;
  for (const auto& [key, value] : figures) {
    const std::string_view name(key.data(), key.size());
    const bool metric =
        std::find(std::begin(kNotMetrics), std::end(kNotMetrics), name) == std::end(kNotMetrics);
    if (metric && (value.is_number() || value.is_null())) columns.emplace_back(name);
  }
  const auto& wanted = job.evaluate.metrics;
  const auto place = [&](const std::string& column) {
    const std::string base = column.substr(0, column.find('@'));
    return std::find_if(wanted.begin(), wanted.end(), [&](const std::string& name) {
      return name == column || name.substr(0, name.find('@')) == base;
    });
  };
  std::stable_sort(columns.begin(), columns.end(), [&](auto& a, auto& b) { return place(a) < place(b); });
  return columns;
}

// What the first columns mean, for who has not met them.
std::string legend(const std::vector<std::string>& columns) {
  std::string text;
  for (const auto& column : columns) {
    const auto at = column.find('@');
    const std::string base = column.substr(0, at), k = at == std::string::npos ? "" : column.substr(at + 1);
    std::string meaning;
    if (base == "recall" && !k.empty()) {
      meaning = fmt::format("the share of a user's test items that stand among the first {}", k);
    }
    if (base == "ndcg") meaning = "the same, but the higher up the better; 1 is a perfect list";
    if (base == "hr") meaning = fmt::format("the share of users with a hit among the first {}", k);
    if (!meaning.empty()) text += fmt::format("  {}: {}\n", column, meaning);
  }
  return text;
}

std::string figure(const json::object& figures, const std::string& column) {
  const auto* value = figures.if_contains(column);
  return value != nullptr && value->is_number() ? fmt::format("{:.4f}", value->to_number<double>()) : "-";
}

// Items that nobody had in training cannot be found by any model here, and count as misses above.
std::string warm_only_text(const json::object& model, const std::vector<std::string>& columns) {
  const auto* cold = model.if_contains("cold_test_items");
  const auto* warm = model.if_contains("warm_only");
  if (warm == nullptr || cold == nullptr || cold->to_number<std::uint64_t>() == 0) return "";
  std::string text;
  for (const auto& column : columns) {
    if (!warm->as_object().contains(column)) continue;
    text += fmt::format("{} {} {}", text.empty() ? "" : ",", column, figure(warm->as_object(), column));
  }
  return fmt::format("  without the {} test items that nobody had in training, model:{}\n",
                     cold->to_number<std::uint64_t>(), text);
}

std::string figures_table(const JobConfig& job, std::string_view split, const json::object& report) {
  const auto* model = report.if_contains("model");
  if (model == nullptr) return "";
  const auto columns = columns_of(job, model->as_object());
  std::string text =
      fmt::format("\n{}: {}", split, std::string(model->as_object().at("protocol").as_string()));
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
  return text + "\n" + legend(columns) + warm_only_text(model->as_object(), columns);
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
  if (users.as_array().empty()) return "";
  std::string text =
      "\nrecommendations, each with its score; (+x) is what the score would lose without that title in the "
      "user's history\n";
  for (const auto& user : users.as_array()) {
    text +=
        fmt::format("\nuser {}, {}:", std::string(user.at("user").as_string()),
                    user.at("liked_by").as_string() == "rating" ? "who liked best" : "latest in the history");
    const char* separator = " ";
    for (const auto& title : user.at("liked").as_array()) {
      text += separator + std::string(title.as_string());
      separator = " · ";
    }
    std::size_t width = 0;
    for (const auto& item : user.at("items").as_array()) {
      width = std::max(width, letters(std::string(item.at("title").as_string())));
    }
    int rank = 0;
    for (const auto& item : user.at("items").as_array()) {
      const std::string title(item.at("title").as_string());
      const std::size_t gap =
          std::min(width, kWidestTitle) - std::min(letters(title), std::min(width, kWidestTitle));
      text += fmt::format("\n  {:2}. {:6.2f}  {}{}  {}", ++rank, item.at("score").to_number<double>(), title,
                          std::string(gap, ' '), std::string(item.at("reason").as_string()));
    }
    text += "\n";
  }
  return text;
}

std::string valid_text(const JobConfig& job, std::string_view figures) {
  const json::value parsed = json::parse({figures.data(), figures.size()});
  std::string text = figures_table(job, "validation", {{"model", parsed}});
  if (job.train.include_valid) {
    text +=
        "  The model was trained on validation too (train.include_valid): these figures say nothing of new "
        "data.\n";
  }
  return text;
}

std::string report_text(const JobConfig& job, std::string_view report_json) {
  const json::value parsed = json::parse({report_json.data(), report_json.size()});
  const json::object& report = parsed.as_object();
  std::string text = figures_table(job, "test", report) + comparisons_text(report);
  if (job.task == Task::kRanking && job.data.split.method != SplitMethod::kGlobalTime &&
      job.data.split.method != SplitMethod::kFiles) {
    const auto& beside = job.evaluate.beside;
    text +=
        "  This split leaks the future: the model has learnt from events later than those it is asked for.\n";
    const bool has_cut = std::find(beside.begin(), beside.end(), "global_cut") != beside.end();
    if (has_cut) {
      text += "  The figures for global_cut, beside the others at the end, are without that.\n";
    } else if (job.data.format != DataFormat::kItemLists) {
      text += "  evaluate.beside: [global_cut] gives the figures without that.\n";
    }
  }
  const bool per_user = job.data.split.method == SplitMethod::kLeaveOneOut ||
                        job.data.split.method == SplitMethod::kRatioByUser;
  if (job.task != Task::kRanking && per_user) {
    text +=
        "  This split leaks the future: the model has learnt from events later than those it is asked for.\n"
        "  `data.split: {method: global_time}` gives the figures without that.\n";
  }
  const auto* recommendations = report.if_contains("recommendations");
  return recommendations == nullptr ? text : text + recommendations_text(json::serialize(*recommendations));
}

}  // namespace capstan
