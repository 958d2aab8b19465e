#include "cli/report_file.h"

#include <spdlog/fmt/fmt.h>

#include <filesystem>

#include "common/adapters/disk_files.h"

namespace capstan {
namespace {

namespace json = boost::json;

const json::object* test_of(const json::object& report) {
  const json::value* test = report.if_contains("test");
  return test != nullptr && test->is_object() ? &test->get_object() : nullptr;
}

const json::object* figures_in(const json::value& value) {
  return value.is_object() && value.get_object().contains("protocol") ? &value.get_object() : nullptr;
}

}  // namespace

Result<ReportFile> read_report(const std::string& path) {
  DiskFiles files;
  CAPSTAN_ASSIGN(const Buffer bytes, files.read(path));
  boost::system::error_code failed;
  json::value value = json::parse({bytes.text().data(), bytes.size()}, failed);
  if (failed || !value.is_object() || !value.get_object().contains("job")) {
    return make_error(ErrorCode::kInvalid, fmt::format("{}: not a report of `capstan run` or `eval`{}", path,
                                                       failed ? ": " + failed.message() : ""));
  }
  return ReportFile{path, std::move(value.get_object())};
}

std::string ReportFile::job() const {
  const json::value& name = json.at("job");
  return name.is_string() ? std::string(name.get_string()) : "";
}

const json::object* ReportFile::figures(const std::string& model) const {
  const json::object* test = test_of(json);
  const json::value* value = test == nullptr ? nullptr : test->if_contains(model);
  return value == nullptr ? nullptr : figures_in(*value);
}

std::vector<std::string> ReportFile::models() const {
  std::vector<std::string> names;
  const json::object* test = test_of(json);
  if (test == nullptr) return names;
  for (const auto& [name, value] : *test) {
    if (figures_in(value) != nullptr) names.emplace_back(name.data(), name.size());
  }
  return names;
}

Result<KeptValues> ReportFile::values() const {
  const json::value* name = json.if_contains("values");
  if (name == nullptr || !name->is_string()) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{}: what each user or example got was not kept. Run the job again with "
                                  "evaluate.keep_values on and a report called NAME.json",
                                  path));
  }
  const auto beside = std::filesystem::path(path).parent_path() / std::string(name->get_string());
  DiskFiles files;
  CAPSTAN_ASSIGN(const Buffer bytes, files.read(beside.string()));
  return decode_kept_values(bytes).wrap(beside.string());
}

}  // namespace capstan
