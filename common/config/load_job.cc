#include "common/config/load_job.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

#include "common/config/complete.h"
#include "common/config/job_checks.h"
#include "common/config/overrides.h"
#include "common/config/read_context.h"
#include "common/config/schema.h"
#include "common/config/space_check.h"
#include "common/config/yaml_emit.h"
#include "common/config/yaml_parse.h"

namespace capstan {
namespace {

std::string origin_text(const Place& place) {
  if (place.via.starts_with("--set")) return "--set";
  const std::string at = fmt::format("{}:{}", place.file, place.line);
  return place.via.empty() ? at : fmt::format("{}, {}", at, place.via);
}

// Settings that are not as they were written: another one decides them.
void note_derived(const YamlNode& written, const YamlNode& used, const std::string& path,
                  std::map<std::string, std::string>& origins) {
  if (written.same(used)) return;
  if (written.is_map() && used.is_map()) {
    for (const auto& [key, place, value] : used.entries) {
      const YamlNode* before = written.find(key);
      if (before != nullptr) note_derived(*before, value, join_path(path, key), origins);
    }
    return;
  }
  const auto origin = origins.find(path);
  if (origin != origins.end() && written.is_scalar()) {
    origin->second = fmt::format("derived, for {} gives {}", origin->second, emit_inline(written));
  }
}

ConfigErrors in_order(std::vector<ConfigError> errors, const std::string& file) {
  for (ConfigError& error : errors) {
    if (!error.place.file.empty()) continue;
    error.place = {file, 1, 1, ""};  // about something that is missing altogether
  }
  std::stable_sort(errors.begin(), errors.end(), [](const ConfigError& a, const ConfigError& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  return {std::move(errors)};
}

Result<LoadedJob> result_of(LoadOutcome outcome) {
  if (outcome.job) return std::move(*outcome.job);
  return make_error(ErrorCode::kInvalid, outcome.errors.text());
}

}  // namespace

Result<std::string> read_job_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return make_error(ErrorCode::kIo, fmt::format("{}: a folder, not a job file", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
    return make_error(code, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  std::ostringstream text;
  text << file.rdbuf();
  if (text.bad()) return make_error(ErrorCode::kIo, fmt::format("{}: cannot be read", path));
  return std::move(text).str();
}

std::string ConfigErrors::text() const {
  std::string result;
  for (const ConfigError& error : all) {
    if (!result.empty()) result += '\n';
    result += error.text();
  }
  return result;
}

LoadOutcome read_job(std::string_view text, const std::string& name,
                     const std::vector<std::string>& overrides, const Environment& environment) {
  ReadContext context;
  YamlNode root = parse_yaml(text, name, context.errors());
  LoadOutcome outcome;
  const bool broken = root.is_null() && !context.errors().empty();
  substitute(root, environment, context.errors());
  apply_overrides(root, overrides, context.errors());
  if (broken) {
    outcome.errors = in_order(std::move(context.errors()), name);
    return outcome;
  }
  const auto schema = job_schema();
  JobConfig config;
  read_section(*schema, &config, root, "", context);
  const YamlNode written = write_section(*schema, &config);
  complete(config, context);
  check_job(config, context);
  check_space(root, config.tune, context);
  if (!context.errors().empty()) {
    outcome.errors = in_order(std::move(context.errors()), name);
    return outcome;
  }
  LoadedJob job;
  const YamlNode used = write_section(*schema, &config);
  job.effective_yaml = emit_yaml(used);
  job.config = std::move(config);
  for (const auto& [path, place] : context.places()) job.origins[path] = origin_text(place);
  note_derived(written, used, "", job.origins);
  outcome.job = std::move(job);
  return outcome;
}

Result<LoadedJob> load_job(const std::string& path, const std::vector<std::string>& overrides) {
  CAPSTAN_ASSIGN(const std::string text, read_job_file(path));
  return result_of(read_job(text, path, overrides, process_environment()));
}

Result<LoadedJob> load_job_text(std::string_view text, const std::string& name) {
  return result_of(read_job(text, name, {}, process_environment()));
}

std::string explain(const LoadedJob& job) {
  const auto schema = job_schema();
  const YamlNode root = write_section(*schema, &job.config);
  return emit_yaml(root, [&](const std::string& path) {
    const auto origin = job.origins.find(path);
    if (origin != job.origins.end()) return origin->second;
    const KeySpec* key = find_key(*schema, path);
    return key == nullptr || key->default_note.empty() ? "default" : "default: " + key->default_note;
  });
}

}  // namespace capstan
