#include "worker/models/sequence.h"

#include <spdlog/fmt/fmt.h>

#include "worker/models/caser.h"
#include "worker/models/checked.h"
#include "worker/models/gru4rec.h"
#include "worker/models/parts.h"
#include "worker/models/sasrec.h"
#include "worker/nn/ops/dot.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/sequence_embedding.h"
#include "worker/nn/ops/sum_blocks.h"
#include "worker/nn/ops/take_rows.h"

namespace capstan {
namespace {

std::unique_ptr<SequenceReader> make_reader(ModelTables& tables, std::uint32_t dim) {
  switch (tables.job().model.encoder) {
    case SequenceEncoder::kSasrec:
      return make_sasrec(tables, dim);
    case SequenceEncoder::kGru4rec:
      return make_gru4rec(tables, dim);
    case SequenceEncoder::kCaser:
      return make_caser(tables, dim);
  }
  return nullptr;
}

class SequenceModel final : public Model {
 public:
  explicit SequenceModel(ModelTables tables)
      : tables_(std::move(tables)),
        items_(tables_, tables_.sparse_fields(FieldSource::kItem), ""),
        users_(tables_, user_fields(tables_), "") {
    tables_.read_sequence();
    if (!tables_.sequence()) return;
    table_ = tables_.embedding(tables_.sequence()->items, "");
    dim_ = tables_.dim(table_);
    reader_ = make_reader(tables_, dim_);
  }

  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    return dot(tape, user_vectors(tape, batch), item_vectors(tape, batch));
  }
  std::uint32_t vector_size() const override { return dim_; }
  // What a vector of the past weighs in an item changes with the past: nothing to fold in.
  std::uint32_t taste_size() const override { return 0; }
  Var user_vectors(Tape& tape, const MicroBatch& batch) const override {
    const std::uint32_t field = tables_.sequence()->list;
    const Sequences sequences = pack(tape.arena(), batch, field, tables_.job().model.max_length);
    const Var items = sequence_embedding(tape, batch, table_, field, sequences);
    const Var read = take_rows(tape, reader_->forward(tape, sequences, items), sequences.last);
    if (users_.width() == 0) return read;
    return add(tape, read, sum_blocks(tape, users_.forward(tape, batch), dim_));
  }
  Var item_vectors(Tape& tape, const MicroBatch& batch) const override {
    return sum_blocks(tape, items_.forward(tape, batch), dim_);
  }

  Status check() const {
    if (!tables_.sequence()) {
      return make_error(ErrorCode::kInvalid,
                        "model sequence needs a feature with the items before, in the item's table: {name: "
                        "before, columns: [ITEM], table: item, transform: [{history: {n: 50}}]}");
    }
    const std::uint32_t heads = tables_.job().model.heads;
    if (heads == 0 || dim_ % heads != 0) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("model sequence: vectors of {} floats in {} heads", dim_, heads));
    }
    if (tables_.job().model.activation == Activation::kPrelu)
      return make_error(ErrorCode::kInvalid, "model sequence has no slopes to learn: activation prelu");
    CAPSTAN_TRY(users_.check(tables_, true));
    return items_.check(tables_, true);
  }

 private:
  // Caser alone reads who the user is.
  static std::vector<std::uint32_t> user_fields(const ModelTables& tables) {
    if (tables.job().model.encoder != SequenceEncoder::kCaser) return {};
    std::vector<std::uint32_t> fields = tables.sparse_fields(FieldSource::kUser);
    std::erase_if(fields, [&](std::uint32_t field) { return tables.field(field).list; });
    return fields;
  }

  ModelTables tables_;
  FieldVectors items_, users_;
  std::uint32_t table_ = 0, dim_ = 0;
  std::unique_ptr<SequenceReader> reader_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_sequence(ModelTables tables) {
  return checked<SequenceModel>(std::move(tables));
}

}  // namespace capstan
