#include "worker/models/gru4rec.h"

#include <spdlog/fmt/fmt.h>

#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/gru.h"

namespace capstan {
namespace {

class Gru4rec final : public SequenceReader {
 public:
  Gru4rec(ModelTables& tables, std::uint32_t dim) : dropout_(tables.job().model.dropout) {
    for (std::uint32_t l = 0; l < tables.job().model.blocks; ++l) {
      InitSpec init{.kind = InitKind::kXavierUniform, .fan_in = dim, .fan_out = dim};
      layers_.push_back({tables.layer(fmt::format("gru_{}_in", l), dim, 3 * dim, false),
                         tables.dense(fmt::format("gru_{}_gates", l), dim, 2 * dim, init),
                         tables.dense(fmt::format("gru_{}_candidate", l), dim, dim, init)});
    }
  }

  Var forward(Tape& tape, const Sequences& sequences, Var items) const override {
    std::uint64_t salt = 0;
    Var x = dropout(tape, items, dropout_, sequences.seeds, ++salt);
    for (const Layer& layer : layers_) {
      const Var of_items = dense(tape, x, tape.parameter(layer.in));
      const Var states =
          gru(tape, of_items, tape.parameter(layer.gates), tape.parameter(layer.candidate), sequences);
      x = dropout(tape, states, dropout_, sequences.seeds, ++salt);
    }
    return x;
  }

 private:
  struct Layer {
    std::uint32_t in, gates, candidate;
  };
  double dropout_;
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<SequenceReader> make_gru4rec(ModelTables& tables, std::uint32_t dim) {
  return std::make_unique<Gru4rec>(tables, dim);
}

}  // namespace capstan
