#include "worker/data/assemble.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace capstan {
namespace {

using Rows = std::vector<std::uint64_t>;

Rows rows_of(const Events& events, Part part) {
  Rows rows;
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    if (events.parts[row] == part) rows.push_back(row);
  }
  return rows;
}

template <typename T>
Buffer gather(std::span<const T> values, const Rows& rows) {
  if (values.empty()) return {};
  Buffer out = Buffer::allocate(rows.size() * sizeof(T));
  auto to = out.as_mutable<T>();
  for (std::size_t i = 0; i < rows.size(); ++i) to[i] = values[rows[i]];
  return out;
}
template <typename T>
Buffer gather(const std::vector<T>& values, const Rows& rows) {
  return gather(std::span<const T>(values), rows);
}

FieldColumn gather(const FieldColumn& column, const Rows& rows) {
  FieldColumn out;
  out.values = gather(column.values.as<float>(), rows);
  if (column.offsets.empty()) {
    out.keys = gather(column.keys.as<Key>(), rows);
    out.weights = gather(column.weights.as<float>(), rows);
    return out;
  }
  std::vector<std::uint64_t> offsets = {0};
  std::vector<Key> keys;
  std::vector<float> weights;
  for (const std::uint64_t row : rows) {
    const auto row_keys = column.row_keys(row);
    const auto row_weights = column.row_weights(row);
    keys.insert(keys.end(), row_keys.begin(), row_keys.end());
    weights.insert(weights.end(), row_weights.begin(), row_weights.end());
    offsets.push_back(keys.size());
  }
  out.offsets = Buffer::adopt(std::move(offsets));
  out.keys = Buffer::adopt(std::move(keys));
  if (!weights.empty()) out.weights = Buffer::adopt(std::move(weights));
  return out;
}

Examples make_examples(const Events& events, const std::vector<BuiltField>& fields, Part part) {
  const Rows rows = rows_of(events, part);
  Examples examples;
  examples.size = rows.size();
  examples.labels = gather(events.labels, rows);
  examples.users = gather(events.users, rows);
  examples.items = gather(events.items, rows);
  examples.times = gather(events.times, rows);
  examples.ratings = gather(events.ratings, rows);
  for (const auto& field : fields) {
    examples.fields.push_back(field.info.source == FieldSource::kEvent ? gather(field.column, rows)
                                                                       : FieldColumn());
  }
  return examples;
}

UserItems items_by_user(const Examples& examples, std::uint32_t num_users) {
  std::vector<std::vector<std::uint32_t>> items(num_users);
  for (std::uint64_t row = 0; row < examples.size; ++row)
    items[examples.user(row)].push_back(examples.item(row));
  std::vector<std::uint64_t> offsets = {0};
  std::vector<std::uint32_t> values;
  for (auto& of_user : items) {
    std::sort(of_user.begin(), of_user.end());
    const auto end = std::unique(of_user.begin(), of_user.end());
    values.insert(values.end(), of_user.begin(), end);
    offsets.push_back(values.size());
  }
  return {Buffer::adopt(std::move(offsets)), Buffer::adopt(std::move(values))};
}

Buffer count_items(const Examples& train, std::uint32_t num_items) {
  std::vector<std::uint32_t> counts(num_items, 0);
  for (std::uint64_t row = 0; row < train.size; ++row)
    counts[train.item(row)] += train.label(row) > 0.0F ? 1 : 0;
  return Buffer::adopt(std::move(counts));
}

Status check_no_repeats(const Dataset& data) {
  for (std::uint64_t row = 0; row < data.test.size; ++row) {
    const std::uint32_t user = data.test.user(row);
    const std::uint32_t item = data.test.item(row);
    if (!data.train_items.contains(user, item) && !data.valid_items.contains(user, item)) continue;
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("test item '{}' of user '{}' also stands in the user's history; set data.unique to the "
                    "user and item columns, or data.exclude_test_from_train with split files",
                    data.item_names[item], data.user_names[user]));
  }
  return ok_status();
}

Result<std::vector<std::string>> titles(const Sources& sources, const Events& events) {
  const std::string& name = sources.data.item_title;
  if (name.empty() || !sources.items) return std::vector<std::string>();
  CAPSTAN_ASSIGN(const TextColumn* title, sources.items->column(name));
  CAPSTAN_ASSIGN(const TextColumn* key, sources.items->column(sources.data.item_key));
  std::vector<std::string> result = events.item_ids.names();
  for (std::uint64_t row = 0; row < title->size(); ++row) {
    const std::uint32_t* item = events.item_ids.find((*key)[row]);
    if (item != nullptr && !(*title)[row].empty()) result[*item] = (*title)[row];
  }
  return result;
}

}  // namespace

Result<Dataset> assemble(Task task, const Sources& sources, const Events& events,
                         std::vector<BuiltField> fields) {
  Dataset data;
  data.task = task;
  data.train = make_examples(events, fields, Part::kTrain);
  data.valid = make_examples(events, fields, Part::kValid);
  data.test = make_examples(events, fields, Part::kTest);
  data.num_users = events.user_ids.size();
  data.num_items = events.item_ids.size();
  data.user_names = events.user_ids.names();
  data.item_names = events.item_ids.names();
  CAPSTAN_ASSIGN(data.item_titles, titles(sources, events));
  for (auto& field : fields) {
    const FieldSource source = field.info.source;
    data.fields.push_back(std::move(field.info));
    data.user_fields.push_back(source == FieldSource::kUser ? field.column : FieldColumn());
    data.item_fields.push_back(source == FieldSource::kItem ? field.column : FieldColumn());
  }
  if (!events.users.empty() && !events.items.empty()) {
    data.train_items = items_by_user(data.train, data.num_users);
    data.valid_items = items_by_user(data.valid, data.num_users);
    data.test_items = items_by_user(data.test, data.num_users);
    if (task == Task::kRanking) CAPSTAN_TRY(check_no_repeats(data));
  }
  if (!events.items.empty()) data.item_counts = count_items(data.train, data.num_items);
  return data;
}

}  // namespace capstan
