#include "worker/models/parts.h"

#include <spdlog/fmt/fmt.h>

#include <array>

#include "common/hash.h"
#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/layer_norm.h"
#include "worker/nn/ops/numeric_embedding.h"
#include "worker/nn/ops/prelu.h"
#include "worker/nn/ops/sum_blocks.h"

namespace capstan {

Var dense_fields(Tape& tape, const MicroBatch& batch, std::uint32_t count) {
  return tape.constant({batch.dense.data, batch.size, count});
}

LinearPart::LinearPart(ModelTables& tables) : num_dense_(tables.read_dense_fields()) {
  for (const std::uint32_t field : tables.sparse_fields()) {
    const bool mean = tables.field(field).pooling == Pooling::kMean;
    inputs_.push_back({tables.weights(field, "_linear"), field, mean ? Pooling::kMean : Pooling::kSum});
  }
  layer_ = tables.dense("linear", num_dense_ + 1, 1, {.kind = InitKind::kZero});
}

Var LinearPart::forward(Tape& tape, const MicroBatch& batch) const {
  const Var numbers = dense(tape, dense_fields(tape, batch, num_dense_), tape.parameter(layer_));
  if (inputs_.empty()) return numbers;
  return add(tape, sum_blocks(tape, embedding(tape, batch, inputs_), 1), numbers);
}

FieldVectors::FieldVectors(ModelTables& tables, const std::vector<std::uint32_t>& fields,
                           std::string_view suffix) {
  for (const std::uint32_t field : fields) {
    const std::uint32_t table = tables.embedding(field, suffix);
    const FieldInfo& info = tables.field(field);
    const std::uint32_t length = info.list && info.pooling == Pooling::kNone ? info.length : 1;
    inputs_.push_back({table, field, info.pooling, length});
    width_ += tables.dim(table) * length;
  }
}

Var FieldVectors::forward(Tape& tape, const MicroBatch& batch) const {
  return embedding(tape, batch, inputs_);
}

Status FieldVectors::check(const ModelTables& tables, bool equal) const {
  for (const EmbeddingInput& input : inputs_) {
    const FieldInfo& field = tables.field(input.field);
    const bool apart = field.list && input.pooling == Pooling::kNone;
    if (apart && equal) {
      return make_error(
          ErrorCode::kInvalid,
          fmt::format("feature {}: model {} reads one vector a feature: a list needs pooling sum, "
                      "mean or max",
                      field.name, tables.job().model.type));
    }
    if (apart && field.length == 0) {
      return make_error(
          ErrorCode::kInvalid,
          fmt::format("feature {}: a list with pooling none needs `length`, the vectors that are "
                      "laid side by side",
                      field.name));
    }
    const std::uint32_t first = tables.dim(inputs_[0].table);
    if (equal && tables.dim(input.table) != first) {
      return make_error(ErrorCode::kInvalid,
                        fmt::format("model {}: all embeddings need one dim, but {} has {} and {} has {}",
                                    tables.job().model.type, tables.all()[inputs_[0].table].spec.name, first,
                                    tables.all()[input.table].spec.name, tables.dim(input.table)));
    }
  }
  return ok_status();
}

JoinedFields::JoinedFields(ModelTables& tables, std::string_view suffix)
    : vectors_(tables, tables.sparse_fields(), suffix), num_dense_(tables.read_dense_fields()) {}

Var JoinedFields::forward(Tape& tape, const MicroBatch& batch) const {
  const std::array<Var, 2> parts{vectors_.forward(tape, batch), dense_fields(tape, batch, num_dense_)};
  return num_dense_ == 0 ? parts[0] : concat(tape, parts);
}

Tower::Tower(ModelTables& tables, std::string_view name, std::uint32_t in, const ModelConfig& config)
    : salt_(hash_string(name)),
      activation_(config.activation),
      layer_norm_(config.layer_norm),
      dropout_(config.dropout),
      width_(in) {
  const bool relu = activation_ == Activation::kRelu || activation_ == Activation::kPrelu;
  for (const std::uint32_t out : config.hidden) {
    const std::string prefix = fmt::format("{}_{}", name, layers_.size());
    Layer layer;
    layer.weights = tables.layer(prefix, width_, out, relu);
    if (layer_norm_) {
      const InitSpec ones{.kind = InitKind::kConstant, .scale = 1.0F, .zero_from_key = 1};
      layer.norm = tables.dense(prefix + "_norm", 2, out, ones);
    }
    if (activation_ == Activation::kPrelu) {
      layer.slope = tables.dense(prefix + "_slope", 1, out, {.kind = InitKind::kConstant, .scale = 0.25F});
    }
    layers_.push_back(layer);
    width_ = out;
  }
}

Var Tower::forward(Tape& tape, const MicroBatch& batch, Var x) const {
  std::uint64_t salt = salt_;
  for (const Layer& layer : layers_) {
    x = dense(tape, x, tape.parameter(layer.weights));
    if (layer_norm_) x = layer_norm(tape, x, tape.parameter(layer.norm));
    const bool learned = activation_ == Activation::kPrelu;
    x = learned ? prelu(tape, x, tape.parameter(layer.slope)) : activate(tape, x, activation_);
    x = dropout(tape, x, dropout_, batch.dropout_seeds, salt++);
  }
  return x;
}

DeepPart::DeepPart(ModelTables& tables)
    : fields_(tables, ""),
      tower_(tables, "mlp", fields_.width(), tables.job().model),
      out_(tables.layer("mlp_out", tower_.width(), 1, false)) {}

Var DeepPart::forward(Tape& tape, const MicroBatch& batch) const {
  const Var hidden = tower_.forward(tape, batch, fields_.forward(tape, batch));
  return dense(tape, hidden, tape.parameter(out_));
}

FactorPart::FactorPart(ModelTables& tables)
    : vectors_(tables, tables.sparse_fields(), ""), num_dense_(tables.read_dense_fields()) {
  const auto fields = tables.sparse_fields();
  dim_ = fields.empty() ? tables.job().model.embedding_dim : tables.dim(tables.embedding(fields[0], ""));
  if (num_dense_ > 0) numbers_ = tables.dense("numeric", num_dense_, dim_, {.kind = InitKind::kNormal});
}

Var FactorPart::forward(Tape& tape, const MicroBatch& batch) const {
  const Var vectors = vectors_.forward(tape, batch);
  if (num_dense_ == 0) return vectors;
  const Var numbers =
      numeric_embedding(tape, dense_fields(tape, batch, num_dense_), tape.parameter(numbers_));
  const std::array<Var, 2> all{vectors, numbers};
  return concat(tape, all);
}

}  // namespace capstan
