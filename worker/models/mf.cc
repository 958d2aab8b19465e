#include "worker/models/mf.h"

#include <array>

#include "worker/models/checked.h"
#include "worker/models/two_sides.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dot.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/scale_blocks.h"
#include "worker/nn/ops/sum_blocks.h"
#include "worker/nn/ops/unit_rows.h"

namespace capstan {
namespace {

// Where `scale` starts: a temperature of .1.
constexpr float kFirstScale = 10.0F;

class Mf final : public Model {
 public:
  explicit Mf(ModelTables tables)
      : tables_(std::move(tables)),
        sides_(tables_, ""),
        use_bias_(tables_.job().model.use_bias),
        cosine_(tables_.job().model.layer_norm) {
    if (cosine_) scale_ = tables_.dense("scale", 1, 1, {.kind = InitKind::kConstant, .scale = kFirstScale});
    if (!use_bias_) return;
    user_bias_ = bias_inputs(FieldSource::kUser);
    item_bias_ = bias_inputs(FieldSource::kItem);
    bias_ = tables_.dense("bias", 1, 1, {.kind = InitKind::kZero});
  }

  const ModelTables& tables() const override { return tables_; }

  Var forward(Tape& tape, const MicroBatch& batch) const override {
    const Var product = dot(tape, user(tape, batch), item(tape, batch));
    if (!use_bias_) return product;
    const Var item_bias = sum_blocks(tape, embedding(tape, batch, item_bias_), 1);
    return add(tape, product, add(tape, user_bias(tape, batch), item_bias));
  }

  // [p_u, b + b_u, 1] and [q_i, 1, b_i]
  std::uint32_t vector_size() const override { return sides_.dim() + (use_bias_ ? 2 : 0); }
  std::uint32_t taste_size() const override { return sides_.dim(); }
  Var user_vectors(Tape& tape, const MicroBatch& batch) const override {
    const Var user = this->user(tape, batch);
    if (!use_bias_) return user;
    const std::array<Var, 3> parts{user, user_bias(tape, batch), ones(tape, batch)};
    return concat(tape, parts);
  }
  Var item_vectors(Tape& tape, const MicroBatch& batch) const override {
    const Var item = this->item(tape, batch);
    if (!use_bias_) return item;
    const Var item_bias = sum_blocks(tape, embedding(tape, batch, item_bias_), 1);
    const std::array<Var, 3> parts{item, ones(tape, batch), item_bias};
    return concat(tape, parts);
  }

  Status check() const { return sides_.check(tables_); }

 private:
  Var user(Tape& tape, const MicroBatch& batch) const {
    const Var sum = sides_.user(tape, batch);
    if (!cosine_) return sum;
    const Var scale = dense(tape, dense_fields(tape, batch, 0), tape.parameter(scale_));  // for each example
    return scale_blocks(tape, unit_rows(tape, sum), scale);
  }
  Var item(Tape& tape, const MicroBatch& batch) const {
    const Var sum = sides_.item(tape, batch);
    return cosine_ ? unit_rows(tape, sum) : sum;
  }
  std::vector<EmbeddingInput> bias_inputs(FieldSource source) {
    std::vector<EmbeddingInput> inputs;
    for (const std::uint32_t field : tables_.sparse_fields(source)) {
      const bool mean = tables_.field(field).pooling == Pooling::kMean;
      inputs.push_back({tables_.weights(field, "_bias"), field, mean ? Pooling::kMean : Pooling::kSum});
    }
    return inputs;
  }
  Var user_bias(Tape& tape, const MicroBatch& batch) const {
    return add(tape, sum_blocks(tape, embedding(tape, batch, user_bias_), 1), tape.parameter(bias_));
  }
  static Var ones(Tape& tape, const MicroBatch& batch) {
    const Matrix values = tape.arena().matrix(batch.size, 1);
    for (float& value : values.values()) value = 1.0F;
    return tape.constant(values);
  }

  ModelTables tables_;
  TwoSides sides_;
  bool use_bias_, cosine_;
  std::vector<EmbeddingInput> user_bias_, item_bias_;
  std::uint32_t bias_ = 0, scale_ = 0;
};

}  // namespace

Result<std::unique_ptr<Model>> make_mf(ModelTables tables) {
  return checked<Mf>(std::move(tables));
}

}  // namespace capstan
