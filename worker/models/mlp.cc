#include "worker/models/mlp.h"

#include "worker/models/checked.h"
#include "worker/models/parts.h"

namespace capstan {
namespace {

class Mlp final : public Model {
 public:
  explicit Mlp(ModelTables tables) : tables_(std::move(tables)), deep_(tables_) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override { return deep_.forward(tape, batch); }
  Status check() const { return deep_.check(tables_); }

 private:
  ModelTables tables_;
  DeepPart deep_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_mlp(ModelTables tables) {
  return checked<Mlp>(std::move(tables));
}

}  // namespace capstan
