#include "worker/models/two_sides.h"

#include <spdlog/fmt/fmt.h>

#include "worker/nn/ops/sum_blocks.h"

namespace capstan {
namespace {

std::vector<std::uint32_t> both_sides(const ModelTables& tables) {
  std::vector<std::uint32_t> fields = tables.sparse_fields(FieldSource::kUser);
  for (const std::uint32_t field : tables.sparse_fields(FieldSource::kItem)) fields.push_back(field);
  return fields;
}

}  // namespace

TwoSides::TwoSides(ModelTables& tables, std::string_view suffix)
    : user_(tables, tables.sparse_fields(FieldSource::kUser), suffix),
      item_(tables, tables.sparse_fields(FieldSource::kItem), suffix),
      both_(tables, both_sides(tables), suffix) {
  const auto fields = both_sides(tables);
  dim_ = fields.empty() ? 0 : tables.dim(tables.embedding(fields[0], suffix));
}

Var TwoSides::user(Tape& tape, const MicroBatch& batch) const {
  return sum_blocks(tape, user_.forward(tape, batch), dim_);
}

Var TwoSides::item(Tape& tape, const MicroBatch& batch) const {
  return sum_blocks(tape, item_.forward(tape, batch), dim_);
}

Status TwoSides::check(const ModelTables& tables) const {
  if (user_.width() == 0 || item_.width() == 0) {
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("model {} needs a feature of the user and one of the item", tables.job().model.type));
  }
  return both_.check(tables, true);
}

}  // namespace capstan
