#include "worker/models/neumf.h"

#include <optional>

#include "worker/models/checked.h"
#include "worker/models/two_sides.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/elementwise.h"

namespace capstan {
namespace {

struct MlpHalf {
  JoinedFields fields;
  Tower tower;

  explicit MlpHalf(ModelTables& tables)
      : fields(tables, "_mlp"), tower(tables, "mlp", fields.width(), tables.job().model) {}
  Var forward(Tape& tape, const MicroBatch& batch) const {
    return tower.forward(tape, batch, fields.forward(tape, batch));
  }
};

class NeuMf final : public Model {
 public:
  explicit NeuMf(ModelTables tables) : tables_(std::move(tables)) {
    // h = 1: GMF starts as matrix factorisation (He et al., section 3.2), so that what is known of its
    // learning rate and L2 holds here too.
    constexpr InitSpec kOnes{.kind = InitKind::kConstant, .scale = 1.0F};
    if (tables_.job().model.use_gmf) {
      gmf_out_ = tables_.layer("gmf_out", gmf_.emplace(tables_, "_gmf").dim(), 1, kOnes);
    }
    if (tables_.job().model.use_mlp) {
      mlp_out_ = tables_.layer("mlp_out", mlp_.emplace(tables_).tower.width(), 1, false);
    }
  }
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    if (!gmf_) return mlp(tape, batch);
    const Var products = multiply(tape, gmf_->user(tape, batch), gmf_->item(tape, batch));
    const Var gmf = dense(tape, products, tape.parameter(gmf_out_));
    return mlp_ ? add(tape, gmf, mlp(tape, batch)) : gmf;
  }
  // The score of the GMF half is h·(p ⊙ q): q weighed by h ⊙ p.
  std::uint32_t taste_size() const override { return gmf_ ? gmf_->dim() : 0; }
  Var item_vectors(Tape& tape, const MicroBatch& batch) const override { return gmf_->item(tape, batch); }
  Status check() const {
    if (!gmf_ && !mlp_)
      return make_error(ErrorCode::kInvalid, "model neumf: use_gmf and use_mlp are both off");
    if (gmf_) CAPSTAN_TRY(gmf_->check(tables_));
    if (mlp_) CAPSTAN_TRY(mlp_->fields.check(tables_));
    return ok_status();
  }

 private:
  Var mlp(Tape& tape, const MicroBatch& batch) const {
    return dense(tape, mlp_->forward(tape, batch), tape.parameter(mlp_out_));
  }

  ModelTables tables_;
  std::optional<TwoSides> gmf_;
  std::optional<MlpHalf> mlp_;
  std::uint32_t gmf_out_ = 0, mlp_out_ = 0;
};

}  // namespace

Result<std::unique_ptr<Model>> make_neumf(ModelTables tables) {
  return checked<NeuMf>(std::move(tables));
}

}  // namespace capstan
