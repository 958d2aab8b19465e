#include "worker/models/lr.h"

#include "worker/models/parts.h"

namespace capstan {
namespace {

class Lr final : public Model {
 public:
  explicit Lr(ModelTables tables) : tables_(std::move(tables)), linear_(tables_) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override { return linear_.forward(tape, batch); }

 private:
  ModelTables tables_;
  LinearPart linear_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_lr(ModelTables tables) {
  return std::unique_ptr<Model>(std::make_unique<Lr>(std::move(tables)));
}

}  // namespace capstan
