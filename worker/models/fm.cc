#include "worker/models/fm.h"

#include "worker/models/checked.h"
#include "worker/models/parts.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/fm_interaction.h"

namespace capstan {
namespace {

class Fm final : public Model {
 public:
  explicit Fm(ModelTables tables) : tables_(std::move(tables)), linear_(tables_), factors_(tables_) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    const Var pairs = fm_interaction(tape, factors_.forward(tape, batch), factors_.dim());
    return add(tape, linear_.forward(tape, batch), pairs);
  }
  Status check() const { return factors_.check(tables_); }

 private:
  ModelTables tables_;
  LinearPart linear_;
  FactorPart factors_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_fm(ModelTables tables) {
  return checked<Fm>(std::move(tables));
}

}  // namespace capstan
