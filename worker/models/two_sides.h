// TwoSides: the vector of a user and of an item, each the sum of the vectors of its fields.
#pragma once

#include <cstdint>
#include <string_view>

#include "worker/models/parts.h"

namespace capstan {

// With one id field a side this is plain matrix factorisation; further fields (genres, history) add to the
// vector.
class TwoSides {
 public:
  TwoSides(ModelTables& tables, std::string_view suffix);
  Var user(Tape& tape, const MicroBatch& batch) const;  // [n, dim()]
  Var item(Tape& tape, const MicroBatch& batch) const;
  std::uint32_t dim() const { return dim_; }
  // kInvalid when a side has no field or the vectors differ in length.
  Status check(const ModelTables& tables) const;

 private:
  FieldVectors user_, item_, both_;
  std::uint32_t dim_;
};

}  // namespace capstan
