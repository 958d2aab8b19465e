#include "worker/models/finalmlp.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <optional>

#include "worker/models/checked.h"
#include "worker/models/parts.h"
#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/block_product.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dot.h"
#include "worker/nn/ops/elementwise.h"

namespace capstan {
namespace {

ModelConfig with_hidden(ModelConfig config, const std::vector<std::uint32_t>& hidden) {
  config.hidden = hidden;
  return config;
}

// The fields that a gate reads: those that are named, else all of its side.
std::vector<std::uint32_t> context(const ModelTables& tables, const std::vector<std::string>& names,
                                   FieldSource side) {
  if (names.empty()) return tables.sparse_fields(side);
  std::vector<std::uint32_t> fields = tables.sparse_fields();
  std::erase_if(fields, [&](std::uint32_t f) {
    return std::find(names.begin(), names.end(), tables.field(f).name) == names.end();
  });
  return fields;
}

class Gate {
 public:
  Gate(ModelTables& tables, std::string_view name, const std::vector<std::uint32_t>& fields,
       std::uint32_t width)
      : vectors_(tables, fields, fmt::format("_{}", name)),
        tower_(tables, name, vectors_.width(), config_of(tables, fields.empty())),
        out_(tables.layer(fmt::format("{}_out", name), tower_.width(), width, false)) {}

  Var forward(Tape& tape, const MicroBatch& batch, Var x) const {
    const Var hidden = tower_.forward(tape, batch, vectors_.forward(tape, batch));
    const Var logits = dense(tape, hidden, tape.parameter(out_));
    return multiply(tape, x, scale(tape, activate(tape, logits, Activation::kSigmoid), 2.0F));
  }
  Status check(const ModelTables& tables) const { return vectors_.check(tables, false); }

 private:
  // A net of nothing is its last bias, whatever its depth.
  static ModelConfig config_of(const ModelTables& tables, bool alone) {
    const ModelConfig& config = tables.job().model;
    return with_hidden(config, alone ? std::vector<std::uint32_t>() : config.gate_hidden);
  }

  FieldVectors vectors_;
  Tower tower_;
  std::uint32_t out_;
};

class Stream {
 public:
  Stream(ModelTables& tables, std::uint32_t number, std::uint32_t width,
         const std::vector<std::uint32_t>& context, const ModelConfig& config)
      : tower_(tables, fmt::format("mlp{}", number), width, config) {
    if (config.use_gates) gate_.emplace(tables, fmt::format("gate{}", number), context, width);
  }
  Var forward(Tape& tape, const MicroBatch& batch, Var x) const {
    return tower_.forward(tape, batch, gate_ ? gate_->forward(tape, batch, x) : x);
  }
  std::uint32_t width() const { return tower_.width(); }
  Status check(const ModelTables& tables) const { return gate_ ? gate_->check(tables) : ok_status(); }

 private:
  Tower tower_;
  std::optional<Gate> gate_;
};

// o_1 and o_2 to a score. Without heads only their weighted sum.
class Fusion {
 public:
  Fusion(ModelTables& tables, std::uint32_t width1, std::uint32_t width2)
      : heads_(tables.job().model.heads), sum_(tables.layer("fusion", width1 + width2, 1, false)) {
    if (heads_ == 0) return;
    const std::uint32_t in = width1 / heads_;
    const std::uint32_t out = width2 / heads_;
    bilinear_ = tables.dense("fusion_bilinear", width1, out,
                             {.kind = InitKind::kXavierUniform, .fan_in = in, .fan_out = out});
  }
  Var forward(Tape& tape, Var o1, Var o2) const {
    const std::array<Var, 2> both{o1, o2};
    const Var sum = dense(tape, concat(tape, both), tape.parameter(sum_));
    if (heads_ == 0) return sum;
    const Var turned = block_product(tape, o1, tape.parameter(bilinear_), heads_);
    return add(tape, sum, dot(tape, turned, o2));
  }

 private:
  std::uint32_t heads_, sum_, bilinear_ = 0;
};

class FinalMlp final : public Model {
 public:
  explicit FinalMlp(ModelTables tables)
      : tables_(std::move(tables)),
        fields_(tables_, ""),
        first_(tables_, 1, fields_.width(), context(tables_, config().gate1, FieldSource::kUser), config()),
        second_(tables_, 2, fields_.width(), context(tables_, config().gate2, FieldSource::kItem),
                with_hidden(config(), config().hidden2.empty() ? config().hidden : config().hidden2)),
        fusion_(tables_, first_.width(), second_.width()) {}
  const ModelTables& tables() const override { return tables_; }
  Var forward(Tape& tape, const MicroBatch& batch) const override {
    const Var x = fields_.forward(tape, batch);
    return fusion_.forward(tape, first_.forward(tape, batch, x), second_.forward(tape, batch, x));
  }
  Status check() const {
    for (const auto* names : {&config().gate1, &config().gate2}) {
      if (const auto unknown = first_unknown(*names); !unknown.empty()) {
        return make_error(
            ErrorCode::kInvalid,
            fmt::format("model finalmlp: gate1 and gate2 name features with keys, and '{}' is none",
                        unknown));
      }
    }
    CAPSTAN_TRY(first_.check(tables_));
    CAPSTAN_TRY(second_.check(tables_));
    return fields_.check(tables_);
  }

 private:
  const ModelConfig& config() const { return tables_.job().model; }
  std::string first_unknown(const std::vector<std::string>& names) const {
    const auto fields = tables_.sparse_fields();
    const auto unknown = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return std::none_of(fields.begin(), fields.end(),
                          [&](std::uint32_t f) { return tables_.field(f).name == name; });
    });
    return unknown == names.end() ? "" : *unknown;
  }

  ModelTables tables_;
  JoinedFields fields_;
  Stream first_, second_;
  Fusion fusion_;
};

}  // namespace

Result<std::unique_ptr<Model>> make_finalmlp(ModelTables tables) {
  return checked<FinalMlp>(std::move(tables));
}

}  // namespace capstan
