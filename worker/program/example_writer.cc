#include "worker/program/example_writer.h"

namespace capstan {

void ExampleWriter::add(std::uint64_t row, std::uint32_t user, std::uint32_t item) {
  for (std::uint32_t field = 0; field < data_.fields.size(); ++field) {
    switch (data_.fields[field].source) {
      case FieldSource::kEvent:
        add_field(field, rows_.fields[field], row);
        break;
      case FieldSource::kUser:
        add_field(field, data_.user_fields[field], user);
        break;
      case FieldSource::kItem:
        add_field(field, data_.item_fields[field], item);
        break;
    }
  }
  ++out_.data().size;
}

void ExampleWriter::add_side(FieldSource side, std::uint32_t index) {
  const auto& columns = side == FieldSource::kUser ? data_.user_fields : data_.item_fields;
  for (std::uint32_t field = 0; field < data_.fields.size(); ++field) {
    if (data_.fields[field].source == side) add_field(field, columns[field], index);
  }
  ++out_.data().size;
}

void ExampleWriter::add_field(std::uint32_t field, const FieldColumn& column, std::uint64_t index) {
  if (data_.fields[field].dense) {
    out_.data().dense.push_back(column.value(index));
  } else if (tables_.key_set_of(field)) {
    out_.add(field, column.row_keys(index), column.row_weights(index));
  }
}

}  // namespace capstan
