#include "cli/beside.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <utility>

#include "common/config/names.h"
#include "common/config/yaml_emit.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr int kNameWidth = 14;
constexpr int kFigureWidth = 12;

std::string folder_of(const JobConfig& job, const std::string& split) {
  return job.work_dir + "/beside/" + split;
}

Result<json::object> parse(std::string_view text, const std::string& name) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object() || !value.as_object().contains("test") ||
      !value.as_object().at("test").is_object()) {
    return make_error(ErrorCode::kCorrupt, name + " has no test figures");
  }
  return std::move(value.as_object());
}

Result<json::object> read_report(Storage& storage, const std::string& path) {
  CAPSTAN_ASSIGN(const Buffer bytes, storage.read(path));
  return parse(bytes.text(), path);
}

bool is_figures(const json::value& value) {
  return value.is_object() && value.as_object().contains("protocol");
}

std::string figure(const json::object& figures, const std::string& metric) {
  const auto* value = figures.if_contains(metric);
  return value != nullptr && value->is_number() ? fmt::format("{:.4f}", value->to_number<double>()) : "-";
}

std::string users_of(const json::object& figures) {
  const auto* users = figures.if_contains("users");
  if (users == nullptr) return "";
  const auto* fresh = figures.if_contains("new_users");
  const auto without = fresh == nullptr ? 0 : fresh->to_number<std::uint64_t>();
  const std::string text = fmt::format("{} users", users->to_number<std::uint64_t>());
  return without == 0 ? text : fmt::format("{}, {} new", text, without);
}

std::string_view note_on(const std::string& split) {
  if (beside_method(split) == SplitMethod::kLeaveOneOut) {
    return "  leave_one_out asks for each user's last event: one a user, so its figures are noisy.\n";
  }
  return "  global_cut trains on what came before one moment and asks for what came after it: nothing of the "
         "future is known. A new user has nothing before it.\n";
}

// What the columns show of each split.
std::vector<std::string> shown_metrics(const json::object& model, const JobConfig& job) {
  std::vector<std::string> metrics;
  for (const char* name : {"recall", "ndcg", "hr", "mrr", "map", "precision"}) {
    const std::string metric = fmt::format("{}@{}", name, job.evaluate.at.front());
    if (metrics.size() < 2 && model.contains(metric)) metrics.push_back(metric);
  }
  return metrics;
}

}  // namespace

std::string beside_report(const JobConfig& job, const std::string& split) {
  return folder_of(job, split) + "/report.json";
}

std::vector<std::string> beside_overrides(const JobConfig& job, const std::string& split) {
  const auto quoted = [](const std::string& text) { return emit_inline(YamlNode::of(text)); };
  const std::string folder = folder_of(job, split);
  const std::string method =
      beside_method(split) == SplitMethod::kLeaveOneOut ? "leave_one_out" : "global_time";
  const bool keeps_best = job.train.early_stop_patience > 0 && !job.checkpoint.path.empty();
  return {"job=" + job.name + "." + split,
          "work_dir=" + quoted(folder),
          "report=" + quoted(beside_report(job, split)),
          "data.split.method=" + method,
          "evaluate.beside=[]",
          "evaluate.recommend_users=0",
          "checkpoint={path: " + quoted(keeps_best ? folder + "/checkpoints" : "") + "}"};
}

Status add_beside(Storage& storage, const JobConfig& job, const std::string& split) {
  CAPSTAN_ASSIGN(json::object report, read_report(storage, job.report));
  CAPSTAN_ASSIGN(json::object other, read_report(storage, beside_report(job, split)));
  json::object found;
  for (const auto& [name, value] : other.at("test").as_object()) {
    if (is_figures(value) || name == "comparisons") found[name] = value;
  }
  for (const char* name : {"data", "passes", "training_seconds"}) {
    if (const auto* value = other.if_contains(name)) found[name] = *value;
  }
  json::object& test = report.at("test").as_object();
  if (!test.contains("beside")) test["beside"] = json::object();
  test.at("beside").as_object()[split] = std::move(found);
  const std::string bytes = json::serialize(report) + "\n";
  return storage.publish(job.report, std::as_bytes(std::span(bytes)));
}

Result<std::string> beside_text(std::string_view report_json, const JobConfig& job) {
  CAPSTAN_ASSIGN(const json::object report, parse(report_json, job.report));
  const json::object& test = report.at("test").as_object();
  std::vector<std::pair<std::string, const json::object*>> splits = {{"this job's own", &test}};
  for (const auto& name : job.evaluate.beside) {
    splits.emplace_back(name, &test.at("beside").as_object().at(name).as_object());
  }
  const auto metrics = shown_metrics(test.at("model").as_object(), job);
  const int width = kFigureWidth * static_cast<int>(metrics.size());
  std::string names, users, heads;
  for (const auto& [name, figures] : splits) {
    names += fmt::format("  {:>{}}", name, width);
    users += fmt::format("  {:>{}}", users_of(figures->at("model").as_object()), width);
    heads += "  ";
    for (const auto& metric : metrics) heads += fmt::format("{:>{}}", metric, kFigureWidth);
  }
  const auto line = [](std::string_view name, const std::string& rest) {
    return fmt::format("  {:{}}{}\n", name, kNameWidth, rest);
  };
  std::string text = "\nthe same job on other splits, trained anew for each:\n" + line("split", names) +
                     line("", users) + line("", heads);
  for (const auto& [who, value] : test) {
    if (!is_figures(value)) continue;
    std::string row;
    for (const auto& [name, figures] : splits) {
      row += "  ";
      const auto* own = figures->if_contains(who);
      for (const auto& metric : metrics) {
        row += fmt::format("{:>{}}", own == nullptr ? "-" : figure(own->as_object(), metric), kFigureWidth);
      }
    }
    text += line({who.data(), who.size()}, row);
  }
  for (const auto& name : job.evaluate.beside) text += note_on(name);
  return text;
}

}  // namespace capstan
