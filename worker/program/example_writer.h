// ExampleWriter: puts examples of a Dataset into a batch, one after the other.
#pragma once

#include <cstdint>

#include "worker/data/dataset.h"
#include "worker/models/batch_builder.h"

namespace capstan {

// Event fields come from the row, user and item fields from the user and item, who may differ from the row's.
class ExampleWriter {
 public:
  // All outlive the writer.
  ExampleWriter(const Dataset& data, const Examples& rows, const ModelTables& tables, BatchBuilder& out)
      : data_(data), rows_(rows), tables_(tables), out_(out) {}

  void add(std::uint64_t row, std::uint32_t user, std::uint32_t item);
  // One side alone, for the vectors of users or items; other fields get no entries.
  void add_user(std::uint32_t user) { add_side(FieldSource::kUser, user); }
  void add_item(std::uint32_t item) { add_side(FieldSource::kItem, item); }

 private:
  void add_side(FieldSource side, std::uint32_t index);
  void add_field(std::uint32_t field, const FieldColumn& column, std::uint64_t index);

  const Dataset& data_;
  const Examples& rows_;
  const ModelTables& tables_;
  BatchBuilder& out_;
};

}  // namespace capstan
