#include "cli/lists/forget_files.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <span>

#include "common/sealed_json.h"
#include "worker/data/cache.h"
#include "worker/eval/kept_values.h"
#include "worker/program/report_text.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr std::string_view kListsBegin = "\nrecommendations, each with";  // of recommendations_text()

// Takes the user's lists out of the array, and out of the text that shows it.
std::uint64_t forget_lists(json::object& judged, const std::string& user) {
  json::value* lists = judged.if_contains("recommendations");
  if (lists == nullptr || !lists->is_array()) return 0;
  json::array kept;
  std::uint64_t removed = 0;
  for (const json::value& list : lists->get_array()) {
    const json::value* whose = list.is_object() ? list.get_object().if_contains("user") : nullptr;
    const bool own = whose != nullptr && whose->is_string() && std::string(whose->get_string()) == user;
    removed += own;
    if (!own) kept.push_back(list);
  }
  if (removed == 0) return 0;
  if (json::value* text = judged.if_contains("text"); text != nullptr && text->is_string()) {
    const std::string before(text->get_string());
    *text = before.substr(0, before.find(kListsBegin)) + recommendations_text(json::serialize(kept));
  }
  *lists = std::move(kept);
  return removed;
}

Result<std::uint64_t> forget_values(Storage& storage, const std::string& path, const std::string& user,
                                    bool remove) {
  CAPSTAN_ASSIGN(const bool there, storage.exists(path));
  if (!there) return std::uint64_t{0};
  CAPSTAN_ASSIGN(const Buffer bytes, storage.read(path));
  CAPSTAN_ASSIGN(KeptValues values, decode_kept_values(bytes));
  const auto found = std::find(values.users.begin(), values.users.end(), kept_name(user));
  if (found == values.users.end()) return std::uint64_t{0};
  if (!remove) return std::uint64_t{1};
  const auto at = found - values.users.begin();
  values.users.erase(found);
  for (auto& [name, column] : values.figures) column.erase(column.begin() + at);
  CAPSTAN_ASSIGN(const Buffer rest, encode(values));
  CAPSTAN_TRY(storage.publish(path, rest.bytes()));
  return std::uint64_t{1};
}

// The data in a folder of prepared data, whichever job settings it was prepared with.
Result<Dataset> map_folder(Storage& storage, const std::string& folder) {
  CAPSTAN_ASSIGN(const Buffer bytes, storage.read(folder + "/meta.json"));
  CAPSTAN_ASSIGN(const std::string_view text, unseal_json("prepared", bytes.text()));
  boost::system::error_code failed;
  const json::value meta = json::parse({text.data(), text.size()}, failed);
  const json::value* print =
      !failed && meta.is_object() ? meta.get_object().if_contains("fingerprint") : nullptr;
  if (print == nullptr || !print->is_string())
    return make_error(ErrorCode::kCorrupt, folder + ": no fingerprint");
  const std::string digits(print->get_string());
  std::uint64_t fingerprint = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), fingerprint, 16);
  return map_prepared(folder, fingerprint);
}

// Without names of users, or where it cannot be read, nothing tells: it may.
bool may_hold(Storage& storage, const std::string& folder, const std::string& user) {
  const auto data = map_folder(storage, folder);
  if (!data.ok() || data->user_names.empty()) return true;
  return std::find(data->user_names.begin(), data->user_names.end(), user) != data->user_names.end();
}

}  // namespace

std::string work_dir_of(const JobConfig& job) {
  return job.work_dir.empty() ? ".capstan/" + job.name : job.work_dir;
}

Result<std::vector<std::string>> prepared_with(Storage& storage, const JobConfig& job,
                                               const std::string& user) {
  const std::string folder = work_dir_of(job) + "/data";
  std::vector<std::string> found;
  CAPSTAN_ASSIGN(const bool there, storage.exists(folder));
  if (!there) return found;
  CAPSTAN_ASSIGN(const auto names, storage.list(folder));
  for (const std::string& name : names) {
    if (name.ends_with(".lock")) continue;
    if (may_hold(storage, folder + "/" + name, user)) found.push_back(folder + "/" + name);
  }
  return found;
}

Result<ReportTraces> forget_in_report(Storage& storage, const std::string& report, const std::string& user,
                                      bool remove) {
  ReportTraces traces;
  if (report.empty()) return traces;
  CAPSTAN_ASSIGN(const bool there, storage.exists(report));
  if (!there) return traces;
  CAPSTAN_ASSIGN(const Buffer bytes, storage.read(report));
  boost::system::error_code failed;
  json::value value = json::parse({bytes.text().data(), bytes.size()}, failed);
  if (failed || !value.is_object()) return make_error(ErrorCode::kCorrupt, report + ": no report of a job");
  json::object& whole = value.get_object();
  if (json::value* test = whole.if_contains("test"); test != nullptr && test->is_object())
    traces.recommendations = forget_lists(test->get_object(), user);
  if (const json::value* beside = whole.if_contains("values"); beside != nullptr && beside->is_string()) {
    const std::size_t slash = report.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : report.substr(0, slash + 1);
    const std::string path = folder + std::string(beside->get_string());
    CAPSTAN_ASSIGN(traces.values, forget_values(storage, path, user, remove));
  }
  if (remove && traces.recommendations > 0) {
    const std::string rest = json::serialize(value) + "\n";
    CAPSTAN_TRY(storage.publish(report, std::as_bytes(std::span(rest))));
  }
  return traces;
}

}  // namespace capstan
