#include "worker/data/events.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/hash.h"
#include "common/text.h"
#include "common/units.h"
#include "worker/data/readers/line_format.h"

namespace capstan {
namespace {

// The columns that make_events() reads; null where the data has none.
struct EventColumns {
  const TextColumn* label = nullptr;
  const TextColumn* user = nullptr;
  const TextColumn* item = nullptr;
  const TextColumn* time = nullptr;
  const TextColumn* rating = nullptr;  // the label's column where it is shown but does not decide
};

Result<EventColumns> find_columns(Task task, const Sources& sources) {
  const DataConfig& data = sources.data;
  EventColumns columns;
  const auto find = [&](const std::string& name, const TextColumn*& column) -> Status {
    if (name.empty()) return ok_status();
    CAPSTAN_ASSIGN(column, sources.events.column(name));
    return ok_status();
  };
  CAPSTAN_TRY(find(data.user, columns.user));
  CAPSTAN_TRY(find(data.item, columns.item));
  CAPSTAN_TRY(find(data.time, columns.time));
  CAPSTAN_TRY(
      find(data.label, task != Task::kRanking || data.positive_from ? columns.label : columns.rating));
  if (columns.rating == nullptr) columns.rating = columns.label;
  if (task != Task::kRanking && columns.label == nullptr) {
    return make_error(ErrorCode::kInvalid, "data.label must name the label's column");
  }
  if (task != Task::kCtr && (columns.user == nullptr || columns.item == nullptr)) {
    return make_error(ErrorCode::kInvalid, "a ranking or rating job needs data.user and data.item");
  }
  if (data.positive_from && columns.label == nullptr) {
    return make_error(ErrorCode::kInvalid, "data.positive_from needs data.label");
  }
  return columns;
}

LineProblem read_label(Task task, const std::vector<std::string>& positive, std::string_view text,
                       float& label) {
  if (!positive.empty()) {
    if (trim(text).empty()) return {"bad label", "the label is empty"};
    label = std::find(positive.begin(), positive.end(), trim(text)) != positive.end() ? 1.0F : 0.0F;
    return {};
  }
  const auto number = parse_double(text);
  if (!number)
    return {"bad label",
            fmt::format("the label '{}' is not a number (data.label_positive names words)", text)};
  if (!(std::abs(*number) <= std::numeric_limits<float>::max()))
    return {"bad label", fmt::format("the label '{}' is not finite", text)};
  label = static_cast<float>(*number);
  if (task != Task::kCtr) return {};
  if (*number == -1.0) label = 0.0F;
  if (label != 0.0F && label != 1.0F)
    return {"bad label", fmt::format("the label '{}' is not 0, 1 or -1", text)};
  return {};
}

// A time as its whole part and its fraction, which compare as the times do.
struct ExactTime {
  std::int64_t whole = 0;
  double fraction = 0.0;  // [0, 1)
  auto operator<=>(const ExactTime&) const = default;
};

LineProblem read_time(std::string_view text, ExactTime& time) {
  if (const auto whole = parse_int(text)) {
    time = {*whole, 0.0};
    return {};
  }
  const auto number = parse_double(text);
  if (!number || std::isnan(*number)) return {"bad time", fmt::format("the time '{}' is not a number", text)};
  if (!(std::abs(*number) < 9e18)) return {"bad time", fmt::format("the time '{}' is beyond 9e18", text)};
  const double whole = std::floor(*number);
  time = {static_cast<std::int64_t>(whole), *number - whole};
  return {};
}

// What times of which some have fractions become: their ranks, equal ones the same. REQUIRES: read_time()
// took every cell.
std::vector<std::int64_t> time_ranks(const TextColumn& column) {
  std::vector<ExactTime> times(column.size());
  for (std::uint64_t row = 0; row < times.size(); ++row) read_time(column[row], times[row]);
  std::vector<ExactTime> sorted = times;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<std::int64_t> ranks;
  ranks.reserve(times.size());
  for (const ExactTime& time : times)
    ranks.push_back(std::lower_bound(sorted.begin(), sorted.end(), time) - sorted.begin());
  return ranks;
}

LineProblem read_id(std::string_view text, std::string_view what, bool as_index, IdIndex& ids,
                    std::uint32_t& index) {
  if (text.empty()) return {fmt::format("no {}", what), fmt::format("the {} is empty", what)};
  if (!as_index) {
    index = ids.add(text);
    return {};
  }
  const auto number = parse_uint(text);
  if (!number || *number >= ids.size()) {
    return {fmt::format("unknown {} index", what),
            fmt::format("the {} '{}' is not an index below {}", what, text, ids.size())};
  }
  index = static_cast<std::uint32_t>(*number);
  return {};
}

void keep_marked(const std::vector<bool>& keep, Sources& sources) {
  std::size_t kept = 0;
  for (std::size_t row = 0; row < keep.size(); ++row) {
    if (keep[row]) sources.origin[kept++] = sources.origin[row];
  }
  sources.origin.resize(kept);
  sources.events.filter(keep);
}

}  // namespace

std::size_t IdIndex::Hash::operator()(std::string_view text) const {
  return hash_string(text);
}

std::uint32_t IdIndex::add(std::string_view id) {
  if (const auto found = index_.find(id); found != index_.end()) return found->second;
  const auto index = size();
  names_.emplace_back(id);
  index_.emplace(names_.back(), index);
  return index;
}

const std::uint32_t* IdIndex::find(std::string_view id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? nullptr : &found->second;
}

Result<Events> make_events(Task task, Sources& sources, BadLines& bad, DropCounts& drops) {
  CAPSTAN_ASSIGN(const EventColumns columns, find_columns(task, sources));
  const DataConfig& data = sources.data;
  Events events;
  std::vector<bool> keep(sources.events.rows(), true);
  bool fractions = false;
  for (std::uint64_t row = 0; row < keep.size(); ++row) {
    const bool as_index = data.test_ids_are_indices && sources.origin[row] == Origin::kTest;
    float label = 1.0F;
    std::uint32_t user = 0;
    std::uint32_t item = 0;
    ExactTime time;
    LineProblem problem;
    const auto check = [&](auto read) {
      if (problem.kind.empty()) problem = read();
    };
    if (columns.label != nullptr)
      check([&] { return read_label(task, data.label_positive, (*columns.label)[row], label); });
    if (columns.time != nullptr) check([&] { return read_time((*columns.time)[row], time); });
    const bool negative = problem.kind.empty() && data.positive_from && label < *data.positive_from;
    if (!negative && columns.user != nullptr) {
      check([&] { return read_id((*columns.user)[row], "user", as_index, events.user_ids, user); });
    }
    if (!negative && columns.item != nullptr) {
      check([&] { return read_id((*columns.item)[row], "item", as_index, events.item_ids, item); });
    }
    if (!problem.kind.empty()) {
      CAPSTAN_TRY(
          bad.add(sources.events.where(row), problem.kind, problem.detail, sources.events.row_text(row)));
    }
    keep[row] = problem.kind.empty() && !negative;
    if (negative) ++drops[fmt::format("rating below positive_from {}", *data.positive_from)];
    if (!keep[row]) continue;
    events.labels.push_back(task == Task::kRanking ? 1.0F : label);
    if (columns.user != nullptr) events.users.push_back(user);
    if (columns.item != nullptr) events.items.push_back(item);
    if (columns.time != nullptr) events.times.push_back(time.whole);
    fractions = fractions || time.fraction > 0.0;
    if (columns.rating != nullptr && task == Task::kRanking)
      events.ratings.push_back(parse_finite_float((*columns.rating)[row]).value_or(0.0F));
  }
  keep_marked(keep, sources);
  if (events.rows() == 0) {
    return make_error(ErrorCode::kInvalid, fmt::format("{}: no line is left after cleaning{}",
                                                       join(sources.events.files, ", "), bad.reasons(drops)));
  }
  if (fractions) events.times = time_ranks(*columns.time);
  return events;
}

}  // namespace capstan
