// `capstan checkpoint diff`: compares two checkpoints, settings and rows.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <ostream>

#include "cli/checkpoint_commands.h"
#include "cli/checkpoint_list.h"
#include "cli/checkpoint_tables.h"
#include "cli/offline_job.h"
#include "common/config/yaml_emit.h"
#include "common/config/yaml_parse.h"

namespace capstan {
namespace {

namespace json = boost::json;
using Settings = std::map<std::string, std::string>;

struct TableDifference {
  std::string table;
  std::string
      note;  // why rows were not compared, if they were not: the table is new, gone or of another shape
  std::uint64_t before = 0, after = 0;  // rows
  std::uint64_t added = 0, removed = 0, changed = 0;
  double weight_change_max = 0.0;  // of one float of a changed row
};

struct CheckpointDifference {
  std::vector<std::string> settings;  // "train.passes: 3 became 5"
  std::vector<TableDifference> tables;
};

void flatten(const YamlNode& node, const std::string& path, Settings& into) {
  if (!node.is_map()) {
    into[path] = emit_inline(node);
    return;
  }
  for (const auto& entry : node.entries) flatten(entry.value, join_path(path, entry.key), into);
}

Settings settings_of(const Manifest& manifest) {
  std::vector<ConfigError> errors;
  Settings settings;
  flatten(parse_yaml(manifest.job_text, "the checkpoint's job", errors), "", settings);
  return settings;
}

std::vector<std::string> compare_settings(const Settings& before, const Settings& after) {
  std::vector<std::string> changed;
  for (const auto& [path, value] : before) {
    const auto now = after.find(path);
    if (now == after.end()) {
      changed.push_back(fmt::format("{}: {} is gone", path, value));
    } else if (now->second != value) {
      changed.push_back(fmt::format("{}: {} became {}", path, value, now->second));
    }
  }
  for (const auto& [path, value] : after) {
    if (!before.contains(path)) changed.push_back(fmt::format("{}: {} is new", path, value));
  }
  return changed;
}

// The tables of both, by name in the order of the first, and where each stands in either.
struct Pair {
  int before = -1, after = -1;
};

std::vector<Pair> pairs_of(const Manifest& before, const Manifest& after,
                           std::vector<TableDifference>& tables) {
  std::vector<Pair> pairs;
  const auto find = [](const Manifest& in, const std::string& name) {
    for (std::size_t i = 0; i < in.tables.size(); ++i) {
      if (in.tables[i].name == name) return static_cast<int>(i);
    }
    return -1;
  };
  for (std::size_t i = 0; i < before.tables.size(); ++i) {
    pairs.push_back({static_cast<int>(i), find(after, before.tables[i].name)});
    tables.emplace_back().table = before.tables[i].name;
    if (pairs.back().after < 0) tables.back().note = "gone";
  }
  for (std::size_t i = 0; i < after.tables.size(); ++i) {
    if (find(before, after.tables[i].name) >= 0) continue;
    pairs.push_back({-1, static_cast<int>(i)});
    tables.emplace_back().table = after.tables[i].name;
    tables.back().note = "new";
  }
  return pairs;
}

double largest_change(std::span<const std::byte> before, std::span<const std::byte> after,
                      const RowLayout& layout) {
  double largest = 0.0;
  std::vector<float> was(layout.dim()), is(layout.dim());
  layout.read_weights(before.data(), was.data());
  layout.read_weights(after.data(), is.data());
  for (std::size_t i = 0; i < layout.dim(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(is[i]) - static_cast<double>(was[i])));
  }
  return largest;
}

void compare_rows(const EmbeddingTable& before, const EmbeddingTable& after, TableDifference& found) {
  if (before.layout().row_bytes() != after.layout().row_bytes() || before.spec().dim != after.spec().dim ||
      before.spec().dtype != after.spec().dtype) {
    found.note = fmt::format("of another shape: {} bytes a row became {}", before.layout().row_bytes(),
                             after.layout().row_bytes());
    return;
  }
  std::uint64_t common = 0;
  after.for_each_row([&](Key key, std::span<const std::byte> row) {
    const auto was = before.find_row(key);
    if (was.empty()) {
      ++found.added;
      return;
    }
    ++common;
    if (std::memcmp(was.data(), row.data(), row.size()) == 0) return;
    ++found.changed;
    found.weight_change_max = std::max(found.weight_change_max, largest_change(was, row, after.layout()));
  });
  found.removed += before.size() - common;
}

// Reads both, a shard of each at a time.
Result<CheckpointDifference> difference(Storage& storage, const ListedCheckpoint& before,
                                        const ListedCheckpoint& after) {
  const Manifest& old = *before.manifest;
  const Manifest& now = *after.manifest;
  if (old.num_shards != now.num_shards) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{} has {} shards and {} has {}: their rows cannot be compared",
                                  before.directory, old.num_shards, after.directory, now.num_shards));
  }
  CheckpointDifference found;
  found.settings = compare_settings(settings_of(old), settings_of(now));
  const std::vector<Pair> pairs = pairs_of(old, now, found.tables);
  for (std::uint32_t shard = 0; shard < old.num_shards; ++shard) {
    CAPSTAN_ASSIGN(const auto was, load_shard(storage, old, before.directory, shard));
    CAPSTAN_ASSIGN(const auto is, load_shard(storage, now, after.directory, shard));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      TableDifference& table = found.tables[i];
      const auto at = [](int index) { return static_cast<std::uint32_t>(index); };
      if (pairs[i].before >= 0) table.before += was->table(at(pairs[i].before)).size();
      if (pairs[i].after >= 0) table.after += is->table(at(pairs[i].after)).size();
      if (pairs[i].before < 0 || pairs[i].after < 0) continue;
      compare_rows(was->table(at(pairs[i].before)), is->table(at(pairs[i].after)), table);
    }
  }
  return found;
}

std::string lines(const CheckpointDifference& found) {
  std::string text;
  for (const std::string& setting : found.settings) text += setting + "\n";
  text += fmt::format("{:20} {:>12} {:>12} {:>12} {:>12} {:>12} {:>14}\n", "table", "rows before",
                      "rows after", "added", "removed", "changed", "largest change");
  for (const TableDifference& table : found.tables) {
    text += fmt::format("{:20} {:>12} {:>12} ", table.table, table.before, table.after);
    text += table.note.empty() ? fmt::format("{:>12} {:>12} {:>12} {:>14.6g}\n", table.added, table.removed,
                                             table.changed, table.weight_change_max)
                               : table.note + "\n";
  }
  return text;
}

json::object to_json(const CheckpointDifference& found) {
  json::array settings, tables;
  for (const std::string& setting : found.settings) settings.push_back(json::string(setting));
  for (const TableDifference& table : found.tables) {
    json::object object = {
        {"table", table.table}, {"rows_before", table.before}, {"rows_after", table.after}};
    if (!table.note.empty()) {
      object["note"] = table.note;
    } else {
      object["added"] = table.added;
      object["removed"] = table.removed;
      object["changed"] = table.changed;
      object["weight_change_max"] = table.weight_change_max;
    }
    tables.push_back(std::move(object));
  }
  return {{"settings", std::move(settings)}, {"tables", std::move(tables)}};
}

struct DiffOptions {
  std::string before, after;
  bool json = false;
};

int run(const DiffOptions& options, Console console) {
  AnyStorage files;
  const auto before = find_one(files, options.before);
  if (!before.ok()) return complain(before.error(), console);
  const auto after = find_one(files, options.after);
  if (!after.ok()) return complain(after.error(), console);
  const auto found = difference(files, *before, *after);
  if (!found.ok()) return complain(found.error(), console);
  if (options.json) {
    console.out << json::serialize(to_json(*found)) << "\n";
  } else {
    console.out << lines(*found);
  }
  return kExitOk;
}

}  // namespace

void add_checkpoint_diff(CLI::App& group, Console console, int& exit_code) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command =
      group.add_subcommand("diff", "Compare two checkpoints: settings that differ, rows of each table");
  command->add_option("before", options->before, "A checkpoint")->required();
  command->add_option("after", options->after, "Another one")->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->footer(
      "A row is changed when any of its bytes differ, optimizer state included; the largest change is of\n"
      "one weight. Exit code 0 whether they differ or not.\n"
      "Example: capstan checkpoint diff checkpoints/ckpt-000003 checkpoints/ckpt-000004");
  command->callback([options, console, &exit_code] { exit_code = run(*options, console); });
}

}  // namespace capstan
