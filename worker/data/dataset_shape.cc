#include "worker/data/dataset_shape.h"

#include <algorithm>

namespace capstan {
namespace {

// Whether it holds so many values of T.
template <typename T>
bool holds(const Buffer& block, std::uint64_t count) {
  return block.size() % sizeof(T) == 0 && block.as<T>().size() == count;
}
template <typename T>
bool none_or(const Buffer& block, std::uint64_t count) {
  return block.empty() || holds<T>(block, count);
}

bool below(const Buffer& block, std::uint32_t limit) {
  const auto values = block.as<std::uint32_t>();
  return std::all_of(values.begin(), values.end(), [&](std::uint32_t value) { return value < limit; });
}

// Of so many rows, which begin at 0, follow each other and end with the last value.
bool bounds(const Buffer& offsets, std::uint64_t rows, std::uint64_t values) {
  const auto all = offsets.as<std::uint64_t>();
  return offsets.size() % sizeof(std::uint64_t) == 0 && !all.empty() && all.size() - 1 == rows &&
         all.front() == 0 && std::is_sorted(all.begin(), all.end()) && all.back() == values;
}

bool fits(const FieldColumn& column, bool dense, std::uint64_t rows) {
  if (dense) return column.keys.empty() && column.offsets.empty() && holds<float>(column.values, rows);
  const std::uint64_t keys = column.keys.as<Key>().size();
  const bool found = column.offsets.empty() ? keys == rows : bounds(column.offsets, rows, keys);
  return found && holds<Key>(column.keys, keys) && none_or<float>(column.weights, keys) &&
         column.values.empty();
}

bool empty(const FieldColumn& column) {
  return column.keys.empty() && column.offsets.empty() && column.weights.empty() && column.values.empty();
}

class Shape {
 public:
  explicit Shape(const Dataset& data) : data_(data) {}

  std::string misfit() {
    examples("train", data_.train);
    examples("valid", data_.valid);
    examples("test", data_.test);
    columns("user", data_.user_fields, FieldSource::kUser, data_.num_users);
    columns("item", data_.item_fields, FieldSource::kItem, data_.num_items);
    sets("train_items", data_.train_items);
    sets("valid_items", data_.valid_items);
    sets("test_items", data_.test_items);
    demand(data_.candidates.empty() || data_.candidates.size() == data_.num_users, "candidates");
    for (const auto& items : data_.candidates) {
      demand(std::all_of(items.begin(), items.end(), [&](auto item) { return item < data_.num_items; }),
             "candidates");
    }
    demand(none_or<std::uint32_t>(data_.item_counts, data_.num_items), "item_counts");
    demand(data_.user_names.size() == data_.num_users, "user_names");
    demand(data_.item_names.size() == data_.num_items, "item_names");
    demand(data_.item_titles.empty() || data_.item_titles.size() == data_.num_items, "item_titles");
    return misfit_;
  }

 private:
  void demand(bool holds, const std::string& block) {
    if (!holds && misfit_.empty()) misfit_ = block;
  }
  void examples(const std::string& name, const Examples& part) {
    demand(holds<float>(part.labels, part.size), name + "/labels");
    const bool users = none_or<std::uint32_t>(part.users, part.size) && below(part.users, data_.num_users);
    demand(users, name + "/users");
    const bool items = none_or<std::uint32_t>(part.items, part.size) && below(part.items, data_.num_items);
    demand(items, name + "/items");
    demand(none_or<std::int64_t>(part.times, part.size), name + "/times");
    demand(none_or<float>(part.ratings, part.size), name + "/ratings");
    columns(name, part.fields, FieldSource::kEvent, part.size);
  }
  void columns(const std::string& name, const std::vector<FieldColumn>& columns, FieldSource source,
               std::uint64_t rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const FieldInfo& field = data_.fields[i];
      demand(field.source == source ? fits(columns[i], field.dense, rows) : empty(columns[i]),
             name + "/" + field.name);
    }
  }
  void sets(const std::string& name, const UserItems& items) {
    const std::uint64_t values = items.values.as<std::uint32_t>().size();
    const bool absent = items.offsets.empty() && items.values.empty();
    demand(absent || (bounds(items.offsets, data_.num_users, values) &&
                      holds<std::uint32_t>(items.values, values) && below(items.values, data_.num_items)),
           name);
  }

  const Dataset& data_;
  std::string misfit_;
};

}  // namespace

std::string misfit(const Dataset& data) {
  return Shape(data).misfit();
}

}  // namespace capstan
