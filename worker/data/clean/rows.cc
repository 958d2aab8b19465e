#include "worker/data/clean/rows.h"

#include <spdlog/fmt/fmt.h>

#include <unordered_map>
#include <unordered_set>

#include "common/text.h"

namespace capstan {
namespace {

template <typename T>
void keep_values(const std::vector<bool>& keep, std::vector<T>& values) {
  if (values.empty()) return;
  std::size_t kept = 0;
  for (std::size_t row = 0; row < keep.size(); ++row) {
    if (keep[row]) values[kept++] = values[row];
  }
  values.resize(kept);
}

std::uint64_t pair_of(const Events& events, std::uint64_t row) {
  return std::uint64_t{events.users[row]} << 32 | events.items[row];
}

}  // namespace

void keep_rows(const std::vector<bool>& keep, Sources& sources, Events& events) {
  keep_values(keep, sources.origin);
  keep_values(keep, events.labels);
  keep_values(keep, events.users);
  keep_values(keep, events.items);
  keep_values(keep, events.times);
  keep_values(keep, events.ratings);
  sources.events.filter(keep);
}

Status drop_duplicates(const std::vector<std::string>& columns, Sources& sources, Events& events,
                       DropCounts& drops) {
  if (columns.empty()) return ok_status();
  std::vector<const TextColumn*> found;
  for (const auto& name : columns) {
    CAPSTAN_ASSIGN(const TextColumn* column, sources.events.column(name).wrap("data.unique"));
    found.push_back(column);
  }
  std::vector<bool> keep(events.rows(), true);
  std::unordered_map<std::string, std::uint64_t> last;  // only looked up
  std::uint64_t dropped = 0;
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    std::string key(1, static_cast<char>(sources.origin[row]));
    for (const TextColumn* column : found) {
      // The length keeps ("ab", "c") and ("a", "bc") apart.
      key += fmt::format("{}:", (*column)[row].size());
      key += (*column)[row];
    }
    const auto [entry, is_new] = last.try_emplace(std::move(key), row);
    if (is_new) continue;
    const std::uint64_t other = entry->second;
    const bool newer = events.times.empty() || events.times[row] >= events.times[other];
    keep[newer ? other : row] = false;
    if (newer) entry->second = row;
    ++dropped;
  }
  if (dropped == 0) return ok_status();
  drops[fmt::format("same {} as a later row", join(columns, ", "))] += dropped;
  keep_rows(keep, sources, events);
  return ok_status();
}

Status exclude_test_rows(Sources& sources, Events& events, DropCounts& drops) {
  if (events.users.empty() || events.items.empty()) {
    return make_error(ErrorCode::kInvalid, "data.exclude_test_from_train needs data.user and data.item");
  }
  std::unordered_set<std::uint64_t> test;  // only looked up
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    if (sources.origin[row] == Origin::kTest) test.insert(pair_of(events, row));
  }
  std::vector<bool> keep(events.rows(), true);
  std::uint64_t dropped = 0;
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    keep[row] = sources.origin[row] == Origin::kTest || !test.contains(pair_of(events, row));
    dropped += keep[row] ? 0 : 1;
  }
  if (dropped > 0) drops["in the test files (exclude_test_from_train)"] += dropped;
  keep_rows(keep, sources, events);
  return ok_status();
}

}  // namespace capstan
