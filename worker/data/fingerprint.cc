#include "worker/data/fingerprint.h"

#include <spdlog/fmt/fmt.h>

#include "common/hash.h"
#include "common/text.h"
#include "worker/data/mapped_file.h"
#include "worker/data/sources.h"

namespace capstan {
namespace {

// Raised whenever the same input would be prepared otherwise.
constexpr int kPrepareVersion = 3;

std::string optional_number(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : std::string("none");
}

// Length-prefixed, so that two lists of words never give one text.
void put(std::string& text, std::string_view name, std::string_view value) {
  text += fmt::format("{} {}:{}\n", name, value.size(), value);
}

void put_list(std::string& text, std::string_view name, const std::vector<std::string>& values) {
  text += fmt::format("{} {}\n", name, values.size());
  for (const auto& value : values) put(text, name, value);
}

void put_rule(std::string& text, const CleanRule& rule) {
  put(text, "clean", rule.column);
  text += fmt::format("{} {} {} {} {} {} {} {} {}\n", static_cast<int>(rule.type), rule.required,
                      optional_number(rule.min), optional_number(rule.max), static_cast<int>(rule.missing),
                      rule.constant, rule.indicator, optional_number(rule.clip_low),
                      optional_number(rule.clip_high));
}

void put_feature(std::string& text, const FeatureConfig& feature) {
  put(text, "feature", feature.name);
  put_list(text, "columns", feature.columns);
  put(text, "table", feature.table);
  text += fmt::format("pooling {} {}\n", static_cast<int>(feature.pooling), feature.length);
  for (const auto& step : feature.transform) {
    put(text, "step", step.name);
    for (const auto& [name, value] : step.options) {
      put(text, "option", name);
      put(text, "value", value);
    }
  }
}

bool draws_at_random(SplitMethod method) {
  return method == SplitMethod::kRatio || method == SplitMethod::kKFold || method == SplitMethod::kFiles ||
         method == SplitMethod::kNone;
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string row_settings(const JobConfig& job) {
  const DataConfig data = effective_data(job);
  std::string text = fmt::format("version {}\ntask {}\nformat {}\nheader {}\n", kPrepareVersion,
                                 static_cast<int>(job.task), static_cast<int>(data.format), data.header);
  text += fmt::format("files {} {} {}\n", data.train.size(), data.valid.size(), data.test.size());
  put(text, "delimiter", data.delimiter);
  put_list(text, "columns", data.columns);
  put_list(text, "test_columns", data.test_columns);
  put_list(text, "label_positive", data.label_positive);
  put_list(text, "item_columns", data.item_columns);
  for (const auto* name :
       {&data.label, &data.user, &data.item, &data.time, &data.item_key, &data.user_key, &data.item_title}) {
    put(text, "column", *name);
  }
  text += fmt::format("sides {} {} {}\n", !data.items.empty(), !data.users.empty(),
                      !data.test_candidates.empty());
  text += fmt::format("indices {} exclude {} positive_from {}\n", data.test_ids_are_indices,
                      data.exclude_test_from_train, optional_number(data.positive_from));
  for (const auto& rule : data.clean) put_rule(text, rule);
  put_list(text, "unique", data.unique);
  const SplitConfig& split = data.split;
  text += fmt::format("split {} {} {} {} {}\n", static_cast<int>(split.method), split.test, split.valid,
                      split.folds, split.fold);
  if (draws_at_random(split.method)) text += fmt::format("seed {}\n", job.seed);
  return text;
}

std::string prepared_settings(const JobConfig& job) {
  std::string text = row_settings(job);
  for (const auto& feature : job.features) put_feature(text, feature);
  return text;
}

Result<DataFingerprints> fingerprints_of(const JobConfig& job) {
  DataFingerprints prints{hash_string(row_settings(job)), hash_string(prepared_settings(job))};
  CAPSTAN_ASSIGN(const auto paths, source_files(job));
  for (const auto& path : paths) {
    CAPSTAN_ASSIGN(const Buffer file, map_file(path));
    const std::uint64_t name = hash_string(file_name(path));
    const std::uint64_t contents = hash_bytes(file.bytes());
    for (std::uint64_t* print : {&prints.rows, &prints.prepared}) *print = combine(*print, name, contents);
  }
  return prints;
}

}  // namespace capstan
