#include "worker/data/sources.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "worker/data/input.h"
#include "worker/data/readers/movielens.h"
#include "worker/data/readers/read_files.h"

namespace capstan {
namespace {

FileFormat format_of(const DataConfig& data) {
  FileFormat format;
  format.kind = data.format;
  format.header = data.header;
  format.delimiter = data.format == DataFormat::kTsv && data.delimiter == "," ? "\t" : data.delimiter;
  format.columns =
      data.header && data.format != DataFormat::kJsonl ? std::vector<std::string>() : data.columns;
  return format;
}

// Side files are separated text, whatever the events are; its name says by what.
FileFormat side_format(const std::string& path, const std::vector<std::string>& columns) {
  FileFormat format;
  const auto is = [&](std::string_view ending) { return path.find(ending) != std::string::npos; };
  format.delimiter = is(".tsv") ? "\t" : is(".dat") ? "::" : ",";
  format.header = columns.empty();
  format.columns = columns;
  if (path.find(".json") != std::string::npos) format.kind = DataFormat::kJsonl;
  format.maybe_latin1 = true;
  return format;
}

void note(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

bool is_side_column(const std::optional<RawTable>& side, const std::string& name) {
  return side && side->find(name).has_value();
}

// Columns of the event files that the job names. Empty: all.
std::vector<std::string> wanted_events(const JobConfig& job, const Sources& sources) {
  const DataConfig& data = sources.data;
  std::vector<std::string> wanted;
  if (job.task == Task::kCtr && job.features.empty()) return wanted;
  for (const auto* name : {&data.label, &data.user, &data.item, &data.time}) note(wanted, *name);
  for (const auto& name : data.unique) note(wanted, name);
  std::set<std::string> indicators;
  for (const auto& rule : data.clean) {
    indicators.insert(rule.column + "_missing");
    if (!is_side_column(sources.items, rule.column) && !is_side_column(sources.users, rule.column)) {
      note(wanted, rule.column);
    }
  }
  for (const auto& feature : job.features) {
    for (const auto& name : feature.columns) {
      const bool given = std::find(wanted.begin(), wanted.end(), name) != wanted.end();
      if (given || indicators.contains(name)) continue;
      if (is_side_column(sources.items, name) || is_side_column(sources.users, name)) continue;
      note(wanted, name);
    }
  }
  return wanted;
}

Status read_side(const std::string& path, const std::vector<std::string>& columns, const std::string& key,
                 std::string_view what, BadLines& bad, std::optional<RawTable>& table) {
  if (path.empty()) return ok_status();
  CAPSTAN_ASSIGN(const auto paths, expand_paths(std::span(&path, 1)));
  CAPSTAN_ASSIGN(table, read_files(paths, side_format(path, columns), bad).wrap(what));
  CAPSTAN_TRY(table->column(key));
  return ok_status();
}

// Overlapping globs would count events twice.
Status check_named_once(std::span<const std::string> paths) {
  std::map<std::filesystem::path, std::string> seen;
  for (const std::string& path : paths) {
    std::error_code error;
    const auto [before, once] = seen.emplace(std::filesystem::weakly_canonical(path, error), path);
    if (!once)
      return make_error(ErrorCode::kInvalid,
                        fmt::format("{} is named twice, as {} too", path, before->second));
  }
  return ok_status();
}

Status add_events(Sources& sources, const std::vector<std::string>& patterns, const FileFormat& format,
                  Origin origin, BadLines& bad) {
  if (patterns.empty()) return ok_status();
  CAPSTAN_ASSIGN(const auto paths, expand_paths(patterns));
  CAPSTAN_TRY(check_named_once(paths));
  CAPSTAN_ASSIGN(RawTable table, read_files(paths, format, bad));
  if (sources.data.test_columns.empty() || origin != Origin::kTest)
    CAPSTAN_TRY(check_same_columns(format, sources.events, table));
  sources.origin.insert(sources.origin.end(), table.rows(), origin);
  if (sources.events.files.empty()) {
    sources.events = std::move(table);
  } else {
    sources.events.append(table);
  }
  return ok_status();
}

Status load_movielens(const JobConfig& job, Sources& sources, BadLines& bad) {
  CAPSTAN_ASSIGN(const MovielensLayout layout, find_movielens(sources.data.train.front()));
  CAPSTAN_ASSIGN(sources.items, read_movielens_items(layout, bad));
  FileFormat events = layout.events;
  events.wanted = wanted_events(job, sources);
  return add_events(sources, {layout.events_path}, events, Origin::kTrain, bad);
}

FileFormat test_format(const FileFormat& train, const DataConfig& data) {
  FileFormat format = train;
  if (!data.test_columns.empty()) {
    format.header = false;
    format.columns = data.test_columns;
    std::erase_if(format.wanted, [&](const std::string& name) {
      return std::find(data.test_columns.begin(), data.test_columns.end(), name) == data.test_columns.end();
    });
  }
  return format;
}

}  // namespace

DataConfig effective_data(const JobConfig& job) {
  DataConfig data = job.data;
  const auto fill = [](std::string& name, std::string_view value) {
    if (name.empty()) name = value;
  };
  if (data.format == DataFormat::kMovielens) {
    fill(data.user, "user");
    fill(data.item, "item");
    fill(data.time, "time");
    fill(data.label, "rating");
    fill(data.item_title, "title");
    data.item_key = "item";
  }
  if (data.format == DataFormat::kItemLists) {
    fill(data.user, "user");
    fill(data.item, "item");
    fill(data.time, "time");
  }
  const bool has_label_column = data.format == DataFormat::kLibsvm || data.format == DataFormat::kLibffm ||
                                data.format == DataFormat::kCriteo;
  if (has_label_column) fill(data.label, "label");
  fill(data.item_key, data.item);
  fill(data.user_key, data.user);
  return data;
}

Result<Sources> load_sources(const JobConfig& job, BadLines& bad) {
  Sources sources;
  sources.data = effective_data(job);
  const DataConfig& data = sources.data;
  if (data.train.empty()) return make_error(ErrorCode::kInvalid, "data.train names no file");
  CAPSTAN_TRY(read_side(data.users, {}, data.user_key, "data.users", bad, sources.users));
  if (data.format == DataFormat::kMovielens) {
    CAPSTAN_TRY(load_movielens(job, sources, bad));
    return sources;
  }
  CAPSTAN_TRY(read_side(data.items, data.item_columns, data.item_key, "data.items", bad, sources.items));
  FileFormat format = format_of(data);
  format.wanted = wanted_events(job, sources);
  CAPSTAN_TRY(add_events(sources, data.train, format, Origin::kTrain, bad));
  CAPSTAN_TRY(add_events(sources, data.valid, format, Origin::kValid, bad));
  CAPSTAN_TRY(add_events(sources, data.test, test_format(format, data), Origin::kTest, bad));
  return sources;
}

Result<std::vector<std::string>> source_files(const JobConfig& job) {
  const DataConfig data = effective_data(job);
  std::vector<std::string> patterns;
  if (data.format == DataFormat::kMovielens) {
    if (data.train.empty()) return make_error(ErrorCode::kInvalid, "data.train names no folder");
    CAPSTAN_ASSIGN(const MovielensLayout layout, find_movielens(data.train.front()));
    patterns = {layout.events_path, layout.items_path};
  } else {
    for (const auto* list : {&data.train, &data.valid, &data.test}) {
      patterns.insert(patterns.end(), list->begin(), list->end());
    }
    if (!data.items.empty()) patterns.push_back(data.items);
  }
  if (!data.users.empty()) patterns.push_back(data.users);
  if (!data.test_candidates.empty()) patterns.push_back(data.test_candidates);
  return expand_paths(patterns);
}

}  // namespace capstan
