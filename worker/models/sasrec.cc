#include "worker/models/sasrec.h"

#include <spdlog/fmt/fmt.h>

#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/causal_attention.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/layer_norm.h"
#include "worker/nn/ops/positions.h"

namespace capstan {
namespace {

class Sasrec final : public SequenceReader {
 public:
  Sasrec(ModelTables& tables, std::uint32_t dim)
      : positions_(tables.dense("positions", tables.job().model.max_length, dim,
                                {.kind = InitKind::kNormal, .scale = 0.02F})),
        heads_(tables.job().model.heads),
        activation_(tables.job().model.activation),
        dropout_(tables.job().model.dropout) {
    for (std::uint32_t b = 0; b < tables.job().model.blocks; ++b) {
      const auto name = [b](const char* part) { return fmt::format("block_{}_{}", b, part); };
      blocks_.push_back({norm(tables, name("norm1"), dim), tables.layer(name("qkv"), dim, 3 * dim, false),
                         norm(tables, name("norm2"), dim), tables.layer(name("ffn1"), dim, dim, true),
                         tables.layer(name("ffn2"), dim, dim, false)});
    }
    out_norm_ = norm(tables, "out_norm", dim);
  }

  Var forward(Tape& tape, const Sequences& sequences, Var items) const override {
    std::uint64_t salt = 0;
    const auto drop = [&](Var x) { return dropout(tape, x, dropout_, sequences.seeds, ++salt); };
    Var x = drop(add_positions(tape, items, tape.parameter(positions_), sequences));
    for (const Block& block : blocks_) {
      const Var normal = layer_norm(tape, x, tape.parameter(block.norm1));
      const Var qkv = dense(tape, normal, tape.parameter(block.qkv));
      x = add(tape, x, drop(causal_attention(tape, qkv, heads_, sequences)));
      const Var hidden =
          dense(tape, layer_norm(tape, x, tape.parameter(block.norm2)), tape.parameter(block.ffn1));
      const Var inner = drop(activate(tape, hidden, activation_));
      x = add(tape, x, drop(dense(tape, inner, tape.parameter(block.ffn2))));
    }
    return layer_norm(tape, x, tape.parameter(out_norm_));
  }

 private:
  struct Block {
    std::uint32_t norm1, qkv, norm2, ffn1, ffn2;
  };
  // A gain of 1 and a shift of 0.
  static std::uint32_t norm(ModelTables& tables, const std::string& name, std::uint32_t dim) {
    return tables.dense(name, 2, dim, {.kind = InitKind::kConstant, .scale = 1.0F, .zero_from_key = 1});
  }

  std::uint32_t positions_, out_norm_ = 0, heads_;
  Activation activation_;
  double dropout_;
  std::vector<Block> blocks_;
};

}  // namespace

std::unique_ptr<SequenceReader> make_sasrec(ModelTables& tables, std::uint32_t dim) {
  return std::make_unique<Sasrec>(tables, dim);
}

}  // namespace capstan
