#include "worker/models/dlrm.h"

#include <algorithm>
#include <array>
#include <optional>

#include "worker/models/checked.h"
#include "worker/models/parts.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/pairwise_dots.h"

namespace capstan {
namespace {

// The job's layers with `bottom` and then one of the embeddings' length as their widths.
ModelConfig bottom_config(const ModelTables& tables, std::uint32_t dim) {
  ModelConfig config = tables.job().model;
  config.hidden = config.bottom;
  config.hidden.push_back(dim);
  return config;
}

class Dlrm final : public Model {
 public:
  explicit Dlrm(ModelTables tables)
      : tables_(std::move(tables)),
        vectors_(tables_, tables_.sparse_fields(), ""),
        dim_(first_dim()),
        num_dense_(tables_.read_dense_fields()) {
    if (num_dense_ > 0) bottom_.emplace(tables_, "bottom", num_dense_, bottom_config(tables_, dim_));
    const std::uint32_t pairs = num_vectors() * (std::max(num_vectors(), 1U) - 1) / 2;
    top_.emplace(tables_, "mlp", pairs + (bottom_ ? dim_ : 0), tables_.job().model);
    out_ = tables_.layer("mlp_out", top_->width(), 1, false);
  }
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    const Var vectors = vectors_.forward(tape, batch);
    if (!bottom_) return top(tape, batch, pairwise_dots(tape, vectors, dim_));
    const Var z = bottom_->forward(tape, batch, dense_fields(tape, batch, num_dense_));
    const std::array<Var, 2> all{z, vectors};
    const std::array<Var, 2> joined{z, pairwise_dots(tape, concat(tape, all), dim_)};
    return top(tape, batch, concat(tape, joined));
  }
  Status check() const {
    if (num_vectors() < 2) {
      return make_error(ErrorCode::kInvalid,
                        "model dlrm multiplies pairs: it needs two features with keys, or one and numbers");
    }
    return vectors_.check(tables_, true);
  }

 private:
  std::uint32_t first_dim() {
    const auto fields = tables_.sparse_fields();
    return fields.empty() ? tables_.job().model.embedding_dim : tables_.dim(tables_.embedding(fields[0], ""));
  }
  std::uint32_t num_vectors() const {
    return static_cast<std::uint32_t>(tables_.sparse_fields().size()) + (num_dense_ > 0 ? 1 : 0);
  }
  Var top(Tape& tape, const MicroBatch& batch, Var x) const {
    return dense(tape, top_->forward(tape, batch, x), tape.parameter(out_));
  }

  ModelTables tables_;
  FieldVectors vectors_;
  std::uint32_t dim_, num_dense_;
  std::optional<Tower> bottom_, top_;
  std::uint32_t out_ = 0;
};

}  // namespace

Result<std::unique_ptr<Model>> make_dlrm(ModelTables tables) {
  return checked<Dlrm>(std::move(tables));
}

}  // namespace capstan
