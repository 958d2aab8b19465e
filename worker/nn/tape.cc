#include "worker/nn/tape.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

void Tape::start(std::span<const ConstMatrix> tables, Mode mode) {
  mode_ = mode;
  trace_ = nullptr;
  arena_.reset();
  tables_.assign(tables.begin(), tables.end());
  nodes_.clear();
  steps_.clear();
  parameters_.assign(tables.size(), 0);
  embeddings_.clear();
}

void Tape::trace_to(Trace& trace) {
  CAPSTAN_ASSERT(nodes_.empty(), "trace_to() after the first value");
  trace_ = &trace;
  trace.clear();
}

Var Tape::add(ConstMatrix value, bool needs_gradient, std::string_view op, std::span<const Var> inputs) {
  if (trace_ != nullptr) trace_->push_back({.op = op, .inputs = {inputs.begin(), inputs.end()}});
  Node node{value, {}};
  if (needs_gradient && training()) {
    node.gradient = arena_.zeros(value.rows, value.cols);
  }
  nodes_.push_back(node);
  return {static_cast<std::uint32_t>(nodes_.size() - 1)};
}

Var Tape::constant(ConstMatrix value) {
  return add(value, false, kConstantLeaf);
}

Var Tape::variable(ConstMatrix value) {
  return add(value, true, kConstantLeaf);
}

Var Tape::parameter(std::uint32_t table) {
  if (parameters_[table] == 0) {
    parameters_[table] = add(tables_[table], true, kParameterLeaf).id + 1;
    if (trace_ != nullptr) trace_->back().table = table;
  }
  return {parameters_[table] - 1};
}

Tape::Output Tape::make(std::string_view op, std::span<const Var> inputs, std::uint32_t rows,
                        std::uint32_t cols, double number) {
  const Matrix value = arena_.matrix(rows, cols);
  const bool gradient =
      std::any_of(inputs.begin(), inputs.end(), [&](Var input) { return needs_gradient(input); });
  const Var out = add(value, gradient, op, inputs);
  if (trace_ != nullptr) trace_->back().number = number;
  return {out, value};
}

Tape::Output Tape::make_embedding(std::span<const EmbeddingInput> inputs, std::uint32_t rows,
                                  std::uint32_t cols) {
  const Matrix value = arena_.matrix(rows, cols);
  const Var out = add(value, true, "embedding");
  if (trace_ != nullptr) trace_->back().pooled.assign(inputs.begin(), inputs.end());
  return {out, value};
}

Tape::Output Tape::make_sequence(std::uint32_t rows, std::uint32_t cols) {
  const Matrix value = arena_.matrix(rows, cols);
  return {add(value, true, "sequence_embedding"), value};
}

void Tape::backward(Var last, ConstMatrix gradient) {
  CAPSTAN_ASSERT(training(), "backward() of a prediction");
  const Matrix target = nodes_[last.id].gradient;
  CAPSTAN_ASSERT(target.rows == gradient.rows && target.cols == gradient.cols,
                 "backward(): shape of the gradient");
  std::copy_n(gradient.data, gradient.size(), target.data);
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) step->run(step->closure);
}

ConstMatrix Tape::table_gradient(std::uint32_t table) const {
  return parameters_[table] == 0 ? ConstMatrix{} : nodes_[parameters_[table] - 1].gradient;
}

}  // namespace capstan
