#include "worker/models/deepfm.h"

#include "worker/models/checked.h"
#include "worker/models/parts.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/fm_interaction.h"

namespace capstan {
namespace {

class DeepFm final : public Model {
 public:
  explicit DeepFm(ModelTables tables)
      : tables_(std::move(tables)),
        linear_(tables_),
        factors_(tables_),
        tower_(tables_, "mlp", factors_.width(), tables_.job().model),
        out_(tables_.layer("mlp_out", tower_.width(), 1, false)) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    const Var vectors = factors_.forward(tape, batch);
    const Var pairs = fm_interaction(tape, vectors, factors_.dim());
    const Var deep = dense(tape, tower_.forward(tape, batch, vectors), tape.parameter(out_));
    return add(tape, add(tape, linear_.forward(tape, batch), pairs), deep);
  }
  Status check() const { return factors_.check(tables_); }

 private:
  ModelTables tables_;
  LinearPart linear_;
  FactorPart factors_;
  Tower tower_;
  std::uint32_t out_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_deepfm(ModelTables tables) {
  return checked<DeepFm>(std::move(tables));
}

}  // namespace capstan
