#include "worker/models/caser.h"

#include <spdlog/fmt/fmt.h>

#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/mix_blocks.h"
#include "worker/nn/ops/windows.h"

namespace capstan {
namespace {

class Caser final : public SequenceReader {
 public:
  Caser(ModelTables& tables, std::uint32_t dim)
      : window_(tables.job().model.window),
        activation_(tables.job().model.activation),
        dropout_(tables.job().model.dropout) {
    const ModelConfig& model = tables.job().model;
    std::uint32_t width = 0;
    for (std::uint32_t height = 1; model.filters > 0 && height <= window_; ++height) {
      horizontal_.push_back(
          tables.layer(fmt::format("horizontal_{}", height), height * dim, model.filters, true));
      width += model.filters;
    }
    if (model.vertical_filters > 0) {
      const InitSpec init{.kind = InitKind::kXavierUniform, .fan_in = window_, .fan_out = 1};
      vertical_ = tables.dense("vertical", window_, model.vertical_filters, init);
      width += model.vertical_filters * dim;
    }
    out_ = tables.layer("caser_out", width, dim, true);
  }

  Var forward(Tape& tape, const Sequences& sequences, Var items) const override {
    std::vector<Var> parts;
    for (std::uint32_t h = 1; h <= horizontal_.size(); ++h) {
      const Var sums = dense(tape, windows(tape, items, h, sequences), tape.parameter(horizontal_[h - 1]));
      parts.push_back(activate(tape, windows_max(tape, sums, window_ - h + 1, sequences), activation_));
    }
    if (vertical_)
      parts.push_back(mix_blocks(tape, windows(tape, items, window_, sequences), tape.parameter(*vertical_)));
    const Var features = dropout(tape, concat(tape, parts), dropout_, sequences.seeds, 1);
    return activate(tape, dense(tape, features, tape.parameter(out_)), activation_);
  }

 private:
  std::uint32_t window_, out_ = 0;
  Activation activation_;
  double dropout_;
  std::vector<std::uint32_t> horizontal_;  // by height
  std::optional<std::uint32_t> vertical_;
};

}  // namespace

std::unique_ptr<SequenceReader> make_caser(ModelTables& tables, std::uint32_t dim) {
  return std::make_unique<Caser>(tables, dim);
}

}  // namespace capstan
