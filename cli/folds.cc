#include "cli/folds.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <map>

#include "cli/report_file.h"
#include "common/config/yaml_emit.h"
#include "scheduler/report.h"

namespace capstan {
namespace {

namespace json = boost::json;

std::string folder_of(const JobConfig& job, std::uint32_t fold) {
  return fmt::format("{}/folds/{}", job.work_dir, fold + 1);
}

// Figures of one model by name, a value for each fold.
using Columns = std::map<std::string, std::vector<double>>;

Columns columns_of(const std::vector<ReportFile>& reports, const std::string& model) {
  Columns columns;
  for (const ReportFile& report : reports) {
    const json::object* figures = report.figures(model);
    if (figures == nullptr) continue;
    for (const auto& [name, value] : *figures) {
      if (value.is_number()) columns[std::string(name)].push_back(value.to_number<double>());
    }
  }
  return columns;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0.0;
  const double middle = mean(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// Counts of users and examples say how large the parts were, and are summed.
bool is_count(const std::string& name) {
  return name == "users" || name == "examples" || name == "test_items" || name == "cold_test_items" ||
         name == "new_users";
}

struct Joined {
  json::object means, deviations;
};

Joined join_model(const std::vector<ReportFile>& reports, const std::string& model) {
  Joined joined;
  const json::object& first = *reports.front().figures(model);
  joined.means["protocol"] =
      fmt::format("{}, mean of {} folds", std::string(first.at("protocol").as_string()), reports.size());
  const Columns columns = columns_of(reports, model);
  for (const auto& [key, value] : first) {  // in the report's order
    const std::string name(key);
    const auto found = columns.find(name);
    if (found == columns.end() || found->second.size() != reports.size()) continue;  // undefined in some fold
    const double middle = mean(found->second);
    if (is_count(name)) {
      joined.means[name] =
          static_cast<std::uint64_t>(std::llround(middle * static_cast<double>(reports.size())));
      continue;
    }
    joined.means[name] = middle;
    joined.deviations[name] = deviation(found->second);
  }
  return joined;
}

Result<std::vector<ReportFile>> read_folds(const JobConfig& job, std::uint32_t folds) {
  std::vector<ReportFile> reports;
  for (std::uint32_t fold = 0; fold < folds; ++fold) {
    CAPSTAN_ASSIGN(ReportFile report, read_report(fold_report(job, fold)));
    if (report.figures("model") == nullptr)
      return make_error(ErrorCode::kCorrupt, report.path + " has no test figures");
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace

std::string fold_report(const JobConfig& job, std::uint32_t fold) {
  return folder_of(job, fold) + "/report.json";
}

Status check_folds(const JobConfig& job) {
  const DataConfig& data = job.data;
  if (!data.test.empty() || !data.valid.empty() || !data.test_candidates.empty()) {
    return make_error(ErrorCode::kInvalid,
                      "--folds splits data.train: no data.test, data.valid or data.test_candidates");
  }
  if (!job.evaluate.beside.empty())
    return make_error(ErrorCode::kInvalid, "--folds: evaluate.beside is for a job of one split");
  if (!job.evaluate.test) return make_error(ErrorCode::kInvalid, "--folds needs evaluate.test: true");
  return ok_status();
}

std::vector<std::string> fold_overrides(const JobConfig& job, std::uint32_t fold, std::uint32_t folds) {
  const auto quoted = [](const std::string& text) { return emit_inline(YamlNode::of(text)); };
  const std::string folder = folder_of(job, fold);
  const bool keeps_best = job.train.early_stop_patience > 0;
  return {fmt::format("job={}.fold-{}", job.name, fold + 1),
          "work_dir=" + quoted(folder),
          "report=" + quoted(fold_report(job, fold)),
          "data.split.method=kfold",
          fmt::format("data.split.folds={}", folds),
          fmt::format("data.split.fold={}", fold),
          "evaluate.recommend_users=0",
          "checkpoint={path: " + quoted(keeps_best ? folder + "/checkpoints" : "") + "}"};
}

Status write_folds(Storage& storage, const JobConfig& job, std::uint32_t folds) {
  CAPSTAN_ASSIGN(const auto reports, read_folds(job, folds));
  json::object test, deviations;
  for (const std::string& model : reports.front().models()) {
    const auto has = [&](const ReportFile& report) { return report.figures(model) != nullptr; };
    if (!std::all_of(reports.begin(), reports.end(), has)) continue;
    Joined joined = join_model(reports, model);
    test[model] = std::move(joined.means);
    deviations[model] = std::move(joined.deviations);
  }
  json::array each;
  double seconds = 0.0;
  for (const ReportFile& report : reports) {
    json::object fold = {{"report", report.path}};
    for (const char* name : {"seed", "wall_seconds", "best_pass", "data", "test"}) {
      if (const json::value* value = report.json.if_contains(name)) fold[name] = *value;
    }
    if (const json::value* wall = report.json.if_contains("wall_seconds");
        wall != nullptr && wall->is_number())
      seconds += wall->to_number<double>();
    each.push_back(std::move(fold));
  }
  const json::object whole = {
      {"job", job.name}, {"state", "done"},         {"split", fmt::format("{} folds", folds)},
      {"test", test},    {"deviation", deviations}, {"wall_seconds", seconds},
      {"folds", each},   {"values", nullptr}};
  return write_report(storage, job.report, json::serialize(whole) + "\n", {});
}

Result<std::string> folds_text(std::string_view report_json) {
  boost::system::error_code failed;
  const json::value report = json::parse({report_json.data(), report_json.size()}, failed);
  if (failed) return make_error(ErrorCode::kCorrupt, "not a report of folds: " + failed.message());
  constexpr int kNameWidth = 14;
  std::string text =
      fmt::format("\n{}: mean and deviation of each figure\n", std::string(report.at("split").as_string()));
  for (const auto& [model, deviations] : report.at("deviation").as_object()) {
    const json::object& means = report.at("test").at(model).as_object();
    text += fmt::format("  {:{}}", std::string_view(model.data(), model.size()), kNameWidth);
    bool first = true;
    for (const auto& [name, value] : deviations.as_object()) {
      text +=
          fmt::format("{}{} {:.4f} ± {:.4f}", first ? "" : ", ", std::string_view(name.data(), name.size()),
                      means.at(name).to_number<double>(), value.to_number<double>());
      first = false;
    }
    text += "\n";
  }
  return text +
         "  Folds share most of their training data: the deviation says how the figures vary with what is "
         "asked,\n"
         "  and is no standard error of their mean.\n";
}

}  // namespace capstan
