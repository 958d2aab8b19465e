#include "worker/data/side_rows.h"

#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>
#include <vector>

namespace capstan {
namespace {

// Returns how many rows a later one took the place of; has_row: [ids].
std::uint64_t drop_repeated(RawTable& table, std::size_t key, const IdIndex& ids,
                            std::vector<bool>& has_row) {
  has_row.assign(ids.size(), false);
  std::vector<bool> keep(table.rows(), true);
  std::uint64_t repeated = 0;
  for (std::uint64_t row = table.rows(); row-- > 0;) {
    const std::uint32_t* index = ids.find(table.columns[key][row]);
    if (index == nullptr) continue;
    keep[row] = !has_row[*index];
    repeated += keep[row] ? 0 : 1;
    has_row[*index] = true;
  }
  if (repeated > 0) table.filter(keep);
  return repeated;
}

// Returns how many rows were added.
std::uint64_t add_missing(RawTable& table, const std::string& key_name, std::span<const std::string> marks,
                          const IdIndex& ids, const std::vector<bool>& has_row) {
  RawTable added;
  TextColumn keys, ones;
  for (std::uint32_t id = 0; id < ids.size(); ++id) {
    if (has_row[id]) continue;
    keys.push(ids.names()[id]);
    ones.push("1");
    added.lines.push_back(0);
  }
  const std::uint64_t count = added.rows();
  if (count == 0) return 0;
  added.files = {"a row that is not there"};
  added.file_starts = {0};
  added.add_column(key_name, std::move(keys));
  for (const std::string& mark : marks) added.add_column(mark, ones);
  table.append(added);
  return count;
}

void complete(std::optional<RawTable>& table, const std::string& key_name, std::string_view what,
              std::span<const CleanRule> rules, const IdIndex& ids, DropCounts& drops) {
  if (!table) return;
  std::vector<std::string> marks;
  for (const CleanRule& rule : rules) {
    const std::string mark = rule.column + "_missing";
    if (rule.indicator && table->find(rule.column) && table->find(mark)) marks.push_back(mark);
  }
  std::vector<bool> has_row;
  const std::uint64_t repeated = drop_repeated(*table, *table->find(key_name), ids, has_row);
  const std::uint64_t missing = add_missing(*table, key_name, marks, ids, has_row);
  if (repeated > 0)
    drops[fmt::format("data.{}: a later row of the same {} counts", what, key_name)] += repeated;
  if (missing > 0) drops[fmt::format("(kept) {} without a row in data.{}", what, what)] += missing;
}

}  // namespace

void complete_side_rows(std::span<const CleanRule> rules, const Events& events, Sources& sources,
                        DropCounts& drops) {
  if (!events.items.empty())
    complete(sources.items, sources.data.item_key, "items", rules, events.item_ids, drops);
  if (!events.users.empty())
    complete(sources.users, sources.data.user_key, "users", rules, events.user_ids, drops);
}

}  // namespace capstan
