#include "worker/models/dcn_v2.h"

#include <spdlog/fmt/fmt.h>

#include <array>

#include "worker/models/checked.h"
#include "worker/models/parts.h"
#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/block_product.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/scale_blocks.h"
#include "worker/nn/ops/softmax.h"

namespace capstan {
namespace {

class CrossNet {
 public:
  CrossNet(ModelTables& tables, std::uint32_t width)
      : rank_(tables.job().model.cross_rank), experts_(tables.job().model.cross_experts) {
    const std::uint32_t inner = rank_ * experts_;
    for (std::uint32_t l = 0; l < tables.job().model.cross_layers; ++l) {
      const std::string name = fmt::format("cross_{}", l);
      Layer layer;
      if (rank_ > 0) {
        layer.down = matrix(tables, name + "_v", width, inner);
        layer.within = matrix(tables, name + "_c", inner, rank_);
        layer.gate = matrix(tables, name + "_gate", width, experts_);
      }
      layer.up = tables.layer(name, rank_ > 0 ? inner : width, width, false);
      layers_.push_back(layer);
    }
  }

  Var forward(Tape& tape, Var x0) const {
    Var x = x0;
    for (const Layer& layer : layers_) {
      const Var inner = rank_ == 0 ? x : mixture(tape, layer, x);
      x = add(tape, multiply(tape, x0, dense(tape, inner, tape.parameter(layer.up))), x);
    }
    return x;
  }

 private:
  struct Layer {
    std::uint32_t down = 0, within = 0, gate = 0, up = 0;
  };

  static std::uint32_t matrix(ModelTables& tables, const std::string& name, std::uint32_t in,
                              std::uint32_t out) {
    return tables.dense(name, in, out, {.kind = InitKind::kXavierUniform, .fan_in = in, .fan_out = out});
  }

  // Σ_k G_k·U_k·z_k is one product of the experts' z_k, each times its G_k, with all U_k one below another.
  Var mixture(Tape& tape, const Layer& layer, Var x) const {
    const Var low = activate(tape, block_product(tape, x, tape.parameter(layer.down), 1), Activation::kTanh);
    const Var z =
        activate(tape, block_product(tape, low, tape.parameter(layer.within), experts_), Activation::kTanh);
    const Var gate = softmax(tape, block_product(tape, x, tape.parameter(layer.gate), 1));
    return scale_blocks(tape, z, gate);
  }

  std::uint32_t rank_, experts_;
  std::vector<Layer> layers_;
};

class DcnV2 final : public Model {
 public:
  explicit DcnV2(ModelTables tables)
      : tables_(std::move(tables)),
        stacked_(tables_.job().model.cross_structure == CrossStructure::kStacked),
        fields_(tables_, ""),
        cross_(tables_, fields_.width()),
        tower_(tables_, "mlp", fields_.width(), tables_.job().model),
        out_(tables_.layer("mlp_out", tower_.width() + (stacked_ ? 0 : fields_.width()), 1, false)) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    const Var x0 = fields_.forward(tape, batch);
    const Var crossed = cross_.forward(tape, x0);
    const Var deep = tower_.forward(tape, batch, stacked_ ? crossed : x0);
    const std::array<Var, 2> both{crossed, deep};
    return dense(tape, stacked_ ? deep : concat(tape, both), tape.parameter(out_));
  }
  Status check() const { return fields_.check(tables_); }

 private:
  ModelTables tables_;
  bool stacked_;
  JoinedFields fields_;
  CrossNet cross_;
  Tower tower_;
  std::uint32_t out_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_dcn_v2(ModelTables tables) {
  return checked<DcnV2>(std::move(tables));
}

}  // namespace capstan
