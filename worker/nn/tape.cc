#include "worker/nn/tape.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

void Tape::start(std::span<const ConstMatrix> tables, Mode mode) {
  mode_ = mode;
  arena_.reset();
  tables_.assign(tables.begin(), tables.end());
  nodes_.clear();
  steps_.clear();
  parameters_.assign(tables.size(), 0);
  embeddings_.clear();
}

Var Tape::add(ConstMatrix value, bool needs_gradient) {
  Node node{value, {}};
  if (needs_gradient && training()) {
    node.gradient = arena_.zeros(value.rows, value.cols);
  }
  nodes_.push_back(node);
  return {static_cast<std::uint32_t>(nodes_.size() - 1)};
}

Var Tape::constant(ConstMatrix value) {
  return add(value, false);
}

Var Tape::variable(ConstMatrix value) {
  return add(value, true);
}

Var Tape::parameter(std::uint32_t table) {
  if (parameters_[table] == 0) parameters_[table] = add(tables_[table], true).id + 1;
  return {parameters_[table] - 1};
}

Tape::Output Tape::make(std::uint32_t rows, std::uint32_t cols, bool needs_gradient) {
  const Matrix value = arena_.matrix(rows, cols);
  return {add(value, needs_gradient), value};
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
