// ExampleWriter: puts examples of a Dataset into a batch, one after the other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

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
  // One side alone, for the vectors of users or items; other fields get no entries. To a user's side belongs
  // what was before the event of `row` or, with `after`, that event too, where a model reads it in order.
  void add_user(std::uint64_t row, std::uint32_t user, bool after);
  void add_item(std::uint32_t item);

  // For a model that reads a sequence: what the examples after this have before them, each its first
  // `length` items.
  void begin_sequence(std::span<const Key> keys);
  void add_to_sequence(std::uint64_t row, std::uint32_t user, std::uint32_t item, std::uint32_t length);

 private:
  struct Sides {
    std::optional<std::uint64_t> event, user, item;
  };
  void add_fields(const Sides& sides);
  void add_sequence(std::uint64_t row, std::uint32_t user, bool after);

  const Dataset& data_;
  const Examples& rows_;
  const ModelTables& tables_;
  BatchBuilder& out_;
  std::optional<std::uint64_t> laid_;  // the row whose sequence was added last
};

}  // namespace capstan
