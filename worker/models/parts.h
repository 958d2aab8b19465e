// What several models have in common: a linear part, vectors of all fields, a tower of dense layers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "worker/models/model_tables.h"
#include "worker/nn/micro_batch.h"
#include "worker/nn/tape.h"

namespace capstan {

// The batch's numbers as a leaf [n, dense fields].
Var dense_fields(Tape& tape, const MicroBatch& batch, std::uint32_t count);

// w_0 + Σ_f w_f·x_f: a weight for every key and every dense field, and a bias. Tables FIELD_linear and
// linear.
class LinearPart {
 public:
  explicit LinearPart(ModelTables& tables);
  Var forward(Tape& tape, const MicroBatch& batch) const;  // [n, 1]

 private:
  std::vector<EmbeddingInput> inputs_;
  std::uint32_t num_dense_;
  std::uint32_t layer_;
};

// The pooled embeddings of some fields, side by side.
class FieldVectors {
 public:
  FieldVectors(ModelTables& tables, const std::vector<std::uint32_t>& fields, std::string_view suffix);
  Var forward(Tape& tape, const MicroBatch& batch) const;  // [n, width()]
  std::uint32_t width() const { return width_; }
  // kInvalid when a list field has pooling none without a length, or, with `equal`, at all, or when tables
  // differ in dim.
  Status check(const ModelTables& tables, bool equal) const;

 private:
  std::vector<EmbeddingInput> inputs_;
  std::uint32_t width_ = 0;
};

// All fields side by side: FieldVectors, then the raw numbers.
class JoinedFields {
 public:
  JoinedFields(ModelTables& tables, std::string_view suffix);
  Var forward(Tape& tape, const MicroBatch& batch) const;  // [n, width()]
  std::uint32_t width() const { return vectors_.width() + num_dense_; }
  Status check(const ModelTables& tables) const { return vectors_.check(tables, false); }

 private:
  FieldVectors vectors_;
  std::uint32_t num_dense_;
};

// Hidden layers, each dense, then layer norm, activation, dropout as the job says. Tables NAME_0, NAME_1, …
class Tower {
 public:
  Tower(ModelTables& tables, std::string_view name, std::uint32_t in, const ModelConfig& config);
  Var forward(Tape& tape, const MicroBatch& batch, Var x) const;  // [n, width()]
  std::uint32_t width() const { return width_; }

 private:
  struct Layer {
    std::uint32_t weights = 0, norm = 0, slope = 0;
  };
  std::vector<Layer> layers_;
  std::uint64_t salt_;  // tells the dropout of a model's towers apart
  Activation activation_;
  bool layer_norm_;
  double dropout_;
  std::uint32_t width_;
};

// JoinedFields through a tower, to one number.
class DeepPart {
 public:
  explicit DeepPart(ModelTables& tables);
  Var forward(Tape& tape, const MicroBatch& batch) const;  // [n, 1]
  Status check(const ModelTables& tables) const { return fields_.check(tables); }

 private:
  JoinedFields fields_;
  Tower tower_;
  std::uint32_t out_;
};

// A vector for every field, dense ones included (their number times a learned vector), all of one length.
class FactorPart {
 public:
  explicit FactorPart(ModelTables& tables);
  Var forward(Tape& tape, const MicroBatch& batch) const;  // [n, width()]
  std::uint32_t dim() const { return dim_; }
  std::uint32_t width() const { return vectors_.width() + num_dense_ * dim_; }
  Status check(const ModelTables& tables) const { return vectors_.check(tables, true); }

 private:
  FieldVectors vectors_;
  std::uint32_t num_dense_;
  std::uint32_t dim_;
  std::uint32_t numbers_ = 0;  // table
};

}  // namespace capstan
