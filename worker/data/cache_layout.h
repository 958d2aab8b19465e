// The order of a prepared dataset's blocks, written down once for both directions.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <vector>

#include "worker/data/dataset.h"

namespace capstan {

// Calls archive(name, Buffer&), archive(name, std::vector<std::string>&) or archive(name, lists&) for every
// block. When reading, the parts' sizes and the fields are already in place.
template <typename Archive>
void for_each_block(Archive& archive, Dataset& data) {
  const auto column = [&](const std::string& name, FieldColumn& field) {
    archive(name + "/keys", field.keys);
    archive(name + "/offsets", field.offsets);
    archive(name + "/weights", field.weights);
    archive(name + "/values", field.values);
  };
  const auto columns = [&](const std::string& name, std::vector<FieldColumn>& fields) {
    fields.resize(data.fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i)
      column(fmt::format("{}/{}", name, data.fields[i].name), fields[i]);
  };
  const auto examples = [&](const std::string& name, Examples& part) {
    archive(name + "/labels", part.labels);
    archive(name + "/users", part.users);
    archive(name + "/items", part.items);
    archive(name + "/times", part.times);
    archive(name + "/ratings", part.ratings);
    columns(name, part.fields);
  };
  const auto sets = [&](const std::string& name, UserItems& items) {
    archive(name + "/offsets", items.offsets);
    archive(name + "/values", items.values);
  };
  examples("train", data.train);
  examples("valid", data.valid);
  examples("test", data.test);
  columns("user", data.user_fields);
  columns("item", data.item_fields);
  sets("train_items", data.train_items);
  sets("valid_items", data.valid_items);
  sets("test_items", data.test_items);
  archive("candidates", data.candidates);
  archive("item_counts", data.item_counts);
  archive("user_names", data.user_names);
  archive("item_names", data.item_names);
  archive("item_titles", data.item_titles);
}

}  // namespace capstan
