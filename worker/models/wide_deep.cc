#include "worker/models/wide_deep.h"

#include "worker/models/checked.h"
#include "worker/models/parts.h"
#include "worker/nn/ops/elementwise.h"

namespace capstan {
namespace {

class WideDeep final : public Model {
 public:
  explicit WideDeep(ModelTables tables) : tables_(std::move(tables)), wide_(tables_), deep_(tables_) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    return add(tape, wide_.forward(tape, batch), deep_.forward(tape, batch));
  }
  Status check() const { return deep_.check(tables_); }

 private:
  ModelTables tables_;
  LinearPart wide_;
  DeepPart deep_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_wide_deep(ModelTables tables) {
  return checked<WideDeep>(std::move(tables));
}

}  // namespace capstan
