#include "worker/data/clean/rules.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.h"
#include "worker/data/readers/line_format.h"
#include "worker/data/transforms/registry.h"
#include "worker/data/transforms/transform.h"

namespace capstan {
namespace {

Status check_rule(const CleanRule& rule) {
  const auto invalid = [&](std::string_view why) {
    return make_error(ErrorCode::kInvalid, fmt::format("clean rule for '{}': {}", rule.column, why));
  };
  if (rule.needs_numbers() && rule.type == ColumnType::kString) {
    return invalid("min, max, mean, median and clip need type int or float");
  }
  if (rule.min && rule.max && *rule.min > *rule.max) return invalid("min is above max");
  const double low = rule.clip_low.value_or(0.0);
  const double high = rule.clip_high.value_or(1.0);
  if (!(low >= 0.0 && low <= high && high <= 1.0))
    return invalid("clip quantiles must be in [0, 1], the low one first");
  return ok_status();
}

// The table that holds the column: events, items or users.
Result<RawTable*> table_of(const std::string& column, Sources& sources) {
  if (sources.events.find(column)) return &sources.events;
  if (sources.items && sources.items->find(column)) return &*sources.items;
  if (sources.users && sources.users->find(column)) return &*sources.users;
  CAPSTAN_TRY(sources.events.column(column).wrap("clean rule"));
  return &sources.events;
}

LineProblem check_number(const CleanRule& rule, std::string_view cell) {
  const auto number = parse_double(cell);
  const bool whole = number && *number == std::floor(*number);
  if (!number || (rule.type == ColumnType::kInt && std::isfinite(*number) && !whole)) {
    return {fmt::format("{} is not a number", rule.column),
            fmt::format("column '{}': '{}' is not {} number", rule.column, cell,
                        rule.type == ColumnType::kInt ? "a whole" : "a")};
  }
  if (!std::isfinite(*number)) {
    return {fmt::format("{} is not finite", rule.column),
            fmt::format("column '{}': '{}' is not a finite number", rule.column, cell)};
  }
  if (std::abs(*number) > std::numeric_limits<float>::max()) {
    return {fmt::format("{} is out of range", rule.column),
            fmt::format("column '{}': {} is beyond a float's range", rule.column, cell)};
  }
  if (rule.min && *number < *rule.min) {
    return {fmt::format("{} is out of range", rule.column),
            fmt::format("column '{}': {} is below the least, {}", rule.column, cell, *rule.min)};
  }
  if (rule.max && *number > *rule.max) {
    return {fmt::format("{} is out of range", rule.column),
            fmt::format("column '{}': {} is above the most, {}", rule.column, cell, *rule.max)};
  }
  return {};
}

LineProblem check_cell(const CleanRule& rule, std::string_view cell) {
  if (cell.empty()) {
    if (!rule.required) return {};
    return {fmt::format("{} is empty", rule.column), fmt::format("column '{}' is empty", rule.column)};
  }
  return rule.type == ColumnType::kString ? LineProblem() : check_number(rule, cell);
}

struct BoundRule {
  const CleanRule* rule;
  std::size_t column;
};

Status clean_table(std::span<const BoundRule> rules, RawTable& table, std::vector<bool>& keep, BadLines& bad,
                   DropCounts& drops) {
  keep.assign(table.rows(), true);
  for (std::uint64_t row = 0; row < table.rows(); ++row) {
    for (const auto& [rule, column] : rules) {
      const std::string_view cell = table.columns[column][row];
      const LineProblem problem = check_cell(*rule, cell);
      if (!problem.kind.empty()) {
        CAPSTAN_TRY(bad.add(table.where(row), problem.kind, problem.detail, table.row_text(row)));
        keep[row] = false;
      } else if (cell.empty() && rule->missing == Missing::kDrop) {
        ++drops[fmt::format("{} is missing", rule->column)];
        keep[row] = false;
      }
      if (!keep[row]) break;
    }
  }
  table.filter(keep);
  for (const auto& [rule, column] : rules) {
    const std::string name = rule->column + "_missing";
    if (!rule->indicator || table.find(name)) continue;
    TextColumn marks;
    for (std::uint64_t row = 0; row < table.rows(); ++row)
      marks.push(table.columns[column][row].empty() ? "1" : "0");
    table.add_column(name, std::move(marks));
  }
  return ok_status();
}

// Rows of a table that may be fitted on.
std::vector<std::uint64_t> train_rows(const RawTable& table, const Sources& sources, const Events& events) {
  std::vector<std::uint64_t> rows;
  if (&table == &sources.events) {
    for (std::uint64_t row = 0; row < events.rows(); ++row) {
      if (events.parts[row] == Part::kTrain) rows.push_back(row);
    }
    return rows;
  }
  const bool items = sources.items && &table == &*sources.items;
  const IdIndex& ids = items ? events.item_ids : events.user_ids;
  const auto& of_event = items ? events.items : events.users;
  std::vector<bool> trained(ids.size(), false);
  for (std::uint64_t row = 0; row < of_event.size(); ++row) {
    if (events.parts[row] == Part::kTrain) trained[of_event[row]] = true;
  }
  const TextColumn& keys = table.columns[*table.find(items ? sources.data.item_key : sources.data.user_key)];
  for (std::uint64_t row = 0; row < keys.size(); ++row) {
    const std::uint32_t* index = ids.find(keys[row]);
    if (index != nullptr && trained[*index]) rows.push_back(row);
  }
  return rows;
}

// What a missing value becomes; absent: it stays missing. `sorted`: the clipped values of train.
std::optional<double> fill_value(const CleanRule& rule, std::span<const double> sorted) {
  if (rule.missing == Missing::kConstant) return rule.constant;
  if (sorted.empty()) return std::nullopt;
  if (rule.missing == Missing::kMedian) return quantile(sorted, 0.5);
  if (rule.missing != Missing::kMean) return std::nullopt;
  double sum = 0.0;
  for (const double value : sorted) sum += value;
  return sum / static_cast<double>(sorted.size());
}

// The bounds that a rule asks for, as values.
struct Bounds {
  std::optional<double> low, high;

  double clip(double value) const {
    if (low && value < *low) return *low;
    return high && value > *high ? *high : value;
  }
  std::string text() const {
    if (low && high) return fmt::format("[{}, {}]", *low, *high);
    return low ? fmt::format("at least {}", *low) : fmt::format("at most {}", *high);
  }
};

Bounds bounds_of(const CleanRule& rule, std::span<const double> sorted) {
  Bounds bounds;
  if (sorted.empty()) return bounds;
  if (rule.clip_low) bounds.low = quantile(sorted, *rule.clip_low);
  if (rule.clip_high) bounds.high = quantile(sorted, *rule.clip_high);
  return bounds;
}

void fill_and_clip_column(const CleanRule& rule, std::span<const std::uint64_t> train, TextColumn& column,
                          DropCounts& drops) {
  std::vector<double> sorted;
  for (const std::uint64_t row : train) {
    if (!column[row].empty() && rule.type != ColumnType::kString)
      sorted.push_back(*parse_double(column[row]));
  }
  std::sort(sorted.begin(), sorted.end());
  const Bounds bounds = bounds_of(rule, sorted);
  for (double& value : sorted) value = bounds.clip(value);
  const std::optional<double> fill = fill_value(rule, sorted);
  const bool clips = bounds.low || bounds.high;
  if (!fill && !clips) return;
  std::uint64_t filled = 0;
  std::uint64_t clipped = 0;
  TextColumn changed;
  for (std::uint64_t row = 0; row < column.size(); ++row) {
    const std::string_view cell = column[row];
    std::string text;
    if (cell.empty() && fill) {
      text = fmt::format("{}", *fill);
      ++filled;
    } else if (clips && !cell.empty()) {
      const double value = *parse_double(cell);
      const double inside = bounds.clip(value);
      if (inside != value) text = fmt::format("{}", inside);
      clipped += inside != value ? 1 : 0;
    }
    changed.push(text.empty() ? cell : std::string_view(text));
  }
  column = std::move(changed);
  if (filled > 0) drops[fmt::format("(kept) {}: missing, filled with {}", rule.column, *fill)] += filled;
  if (clipped > 0) drops[fmt::format("(kept) {}: clipped to {}", rule.column, bounds.text())] += clipped;
}

}  // namespace

Result<std::vector<CleanRule>> effective_rules(const JobConfig& job) {
  std::vector<CleanRule> rules = job.data.clean;
  for (const auto& rule : rules) CAPSTAN_TRY(check_rule(rule));
  for (const auto& feature : job.features) {
    if (feature.transform.empty() || transform_input(feature.transform.front().name) != ValueKind::kNumber)
      continue;
    for (const auto& column : feature.columns) {
      if (column.ends_with("_missing")) continue;
      const auto has =
          std::find_if(rules.begin(), rules.end(), [&](const CleanRule& r) { return r.column == column; });
      if (has == rules.end()) {
        CleanRule rule;
        rule.column = column;
        rule.type = ColumnType::kFloat;
        rules.push_back(std::move(rule));
      } else if (has->type == ColumnType::kString) {
        has->type = ColumnType::kFloat;
      }
    }
  }
  return rules;
}

Status clean_rows(std::span<const CleanRule> rules, Sources& sources, BadLines& bad, DropCounts& drops) {
  std::vector<BoundRule> of_events, of_items, of_users;
  for (const auto& rule : rules) {
    CAPSTAN_ASSIGN(RawTable * table, table_of(rule.column, sources));
    auto& bound = table == &sources.events                    ? of_events
                  : sources.items && table == &*sources.items ? of_items
                                                              : of_users;
    bound.push_back({&rule, *table->find(rule.column)});
  }
  std::vector<bool> keep;
  if (!of_items.empty()) CAPSTAN_TRY(clean_table(of_items, *sources.items, keep, bad, drops));
  if (!of_users.empty()) CAPSTAN_TRY(clean_table(of_users, *sources.users, keep, bad, drops));
  if (of_events.empty()) return ok_status();
  CAPSTAN_TRY(clean_table(of_events, sources.events, keep, bad, drops));
  std::size_t kept = 0;
  for (std::size_t row = 0; row < keep.size(); ++row) {
    if (keep[row]) sources.origin[kept++] = sources.origin[row];
  }
  sources.origin.resize(kept);
  return ok_status();
}

Status fill_and_clip(std::span<const CleanRule> rules, const Events& events, Sources& sources,
                     DropCounts& drops) {
  for (const auto& rule : rules) {
    const bool fills = rule.missing != Missing::kKeep && rule.missing != Missing::kDrop;
    if (!fills && !rule.clip_low && !rule.clip_high) continue;
    CAPSTAN_ASSIGN(RawTable * table, table_of(rule.column, sources));
    fill_and_clip_column(rule, train_rows(*table, sources, events), table->columns[*table->find(rule.column)],
                         drops);
  }
  return ok_status();
}

}  // namespace capstan
