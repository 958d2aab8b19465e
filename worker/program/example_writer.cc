#include "worker/program/example_writer.h"

#include <vector>

namespace capstan {

void ExampleWriter::add(std::uint64_t row, std::uint32_t user, std::uint32_t item) {
  add_fields({.event = row, .user = user, .item = item});
  add_sequence(row, user, false);
}

void ExampleWriter::add_user(std::uint64_t row, std::uint32_t user, bool after) {
  add_fields({.event = {}, .user = user, .item = {}});
  add_sequence(row, user, after);
}

void ExampleWriter::add_item(std::uint32_t item) {
  add_fields({.event = {}, .user = {}, .item = item});
}

void ExampleWriter::begin_sequence(std::span<const Key> keys) {
  out_.lay(tables_.sequence()->list, keys, {});
  laid_.reset();
}

void ExampleWriter::add_to_sequence(std::uint64_t row, std::uint32_t user, std::uint32_t item,
                                    std::uint32_t length) {
  add_fields({.event = row, .user = user, .item = item});
  out_.share(tables_.sequence()->list, length);
}

// A pair's negatives and a user's candidates have one past.
void ExampleWriter::add_sequence(std::uint64_t row, std::uint32_t user, bool after) {
  if (!tables_.sequence()) return;
  const auto [list, items] = *tables_.sequence();
  std::vector<Key> keys;
  if (row < rows_.size && rows_.user(row) == user) {
    const auto before = rows_.fields[list].row_keys(row);
    keys.assign(before.begin(), before.end());
    const auto own = data_.item_fields[items].row_keys(rows_.item(row));
    if (after) keys.insert(keys.end(), own.begin(), own.end());
  }
  if (row == laid_) return out_.share(list, keys.size());
  out_.add(list, keys, {});
  laid_ = row;
}

void ExampleWriter::add_fields(const Sides& sides) {
  for (std::uint32_t field = 0; field < data_.fields.size(); ++field) {
    const FieldSource source = data_.fields[field].source;
    const auto& columns = source == FieldSource::kEvent  ? rows_.fields
                          : source == FieldSource::kUser ? data_.user_fields
                                                         : data_.item_fields;
    const auto& index = source == FieldSource::kEvent  ? sides.event
                        : source == FieldSource::kUser ? sides.user
                                                       : sides.item;
    if (!index || (tables_.sequence() && tables_.sequence()->list == field)) continue;
    if (data_.fields[field].dense) {
      out_.data().dense.push_back(columns[field].value(*index));
    } else if (tables_.key_set_of(field)) {
      out_.add(field, columns[field].row_keys(*index), columns[field].row_weights(*index));
    }
  }
  ++out_.data().size;
}

}  // namespace capstan
