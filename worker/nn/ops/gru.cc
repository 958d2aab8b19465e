#include "worker/nn/ops/gru.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "common/assert.h"
#include "worker/nn/gemm.h"

namespace capstan {
namespace {

float sigmoid(float x) {
  const float e = std::exp(-std::abs(x));
  return x >= 0.0F ? 1.0F / (1.0F + e) : e / (1.0F + e);
}

// Rows in steps: first the first item of every sequence, longest sequence first, then the second item of
// those that have one, and so on. So a step's states go on from the first rows of the step before.
struct Steps {
  std::span<const std::uint32_t> rows;    // [rows]: the packed row
  std::span<const std::uint32_t> begins;  // [steps + 1]

  std::uint32_t size(std::size_t step) const { return begins[step + 1] - begins[step]; }
};

Steps steps_of(Arena& arena, std::span<const std::uint32_t> starts) {
  std::vector<std::uint32_t> order(starts.size() - 1), rows, begins{0};
  std::iota(order.begin(), order.end(), 0U);
  const auto length = [&](std::uint32_t s) { return starts[s + 1] - starts[s]; };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return length(a) > length(b); });
  for (std::uint32_t step = 0; !order.empty() && step < length(order[0]); ++step) {
    for (std::size_t i = 0; i < order.size() && length(order[i]) > step; ++i)
      rows.push_back(starts[order[i]] + step);
    begins.push_back(static_cast<std::uint32_t>(rows.size()));
  }
  return {arena.copy(std::span<const std::uint32_t>(rows)),
          arena.copy(std::span<const std::uint32_t>(begins))};
}

// Everything step by step, in the order of Steps.
struct Unit {
  Steps steps;
  ConstMatrix of_gates, of_candidate;
  Matrix gates, candidate, kept, state;  // [rows, 2d]: z | r; [rows, d]; r ⊙ h; h'
  std::uint32_t d;

  Matrix of_step(const Matrix& m, std::size_t step) const {
    return m.rows_from(steps.begins[step], steps.size(step));
  }
  // What the step's rows go on from. REQUIRES: step > 0.
  Matrix before(const Matrix& m, std::size_t step) const {
    return m.rows_from(steps.begins[step - 1], steps.size(step));
  }

  void forward(std::size_t step, const ConstMatrix& x, const Matrix& y) const {
    const Matrix g = of_step(gates, step), c = of_step(candidate, step), rh = of_step(kept, step);
    const Matrix h = of_step(state, step);
    const std::uint32_t* const row = steps.rows.data() + steps.begins[step];
    for (std::uint32_t i = 0; i < g.rows; ++i) {
      std::copy_n(x.row(row[i]), 2 * d, g.row(i));
      std::copy_n(x.row(row[i]) + 2 * d, d, c.row(i));
    }
    if (step > 0) gemm(before(state, step), Transpose::kNo, of_gates, Transpose::kNo, 1.0F, g);
    for (float& value : g.values()) value = sigmoid(value);
    for (std::uint32_t i = 0; i < g.rows; ++i) {
      for (std::uint32_t j = 0; j < d; ++j) rh.at(i, j) = g.at(i, d + j) * old(step, i, j);
    }
    if (step > 0) gemm(rh, Transpose::kNo, of_candidate, Transpose::kNo, 1.0F, c);
    for (float& value : c.values()) value = std::tanh(value);
    for (std::uint32_t i = 0; i < g.rows; ++i) {
      for (std::uint32_t j = 0; j < d; ++j)
        h.at(i, j) = (1.0F - g.at(i, j)) * old(step, i, j) + g.at(i, j) * c.at(i, j);
      std::copy_n(h.row(i), d, y.row(row[i]));
    }
  }
  float old(std::size_t step, std::uint32_t i, std::uint32_t j) const {
    return step == 0 ? 0.0F : before(state, step).at(i, j);
  }
};

struct UnitGradients {
  Matrix state, gates, candidate, kept;  // as in Unit, of the sums before the activations
  Matrix x, of_gates, of_candidate;      // of the inputs; data may be null
};

// d.state of this step is whole; it is passed on to the step before.
void backward(const Unit& u, std::size_t step, const UnitGradients& d) {
  const Matrix g = u.of_step(u.gates, step), c = u.of_step(u.candidate, step);
  const Matrix dh = u.of_step(d.state, step), dg = u.of_step(d.gates, step);
  const Matrix dc = u.of_step(d.candidate, step), drh = u.of_step(d.kept, step);
  for (std::size_t i = 0; i < dc.size(); ++i) {
    const float z = g.at(i / u.d, i % u.d);
    dc.data[i] = dh.data[i] * z * (1.0F - c.data[i] * c.data[i]);
  }
  gemm(dc, Transpose::kNo, u.of_candidate, Transpose::kYes, 0.0F, drh);
  for (std::uint32_t i = 0; i < g.rows; ++i) {
    for (std::uint32_t j = 0; j < u.d; ++j) {
      const float z = g.at(i, j), r = g.at(i, u.d + j), h = u.old(step, i, j);
      dg.at(i, j) = dh.at(i, j) * (c.at(i, j) - h) * z * (1.0F - z);
      dg.at(i, u.d + j) = drh.at(i, j) * h * r * (1.0F - r);
    }
  }
  if (step > 0) {
    const Matrix dold = u.before(d.state, step);
    for (std::uint32_t i = 0; i < g.rows; ++i) {
      for (std::uint32_t j = 0; j < u.d; ++j)
        dold.at(i, j) += dh.at(i, j) * (1.0F - g.at(i, j)) + drh.at(i, j) * g.at(i, u.d + j);
    }
    gemm(dg, Transpose::kNo, u.of_gates, Transpose::kYes, 1.0F, dold);
    const Matrix old = u.before(u.state, step), rh = u.of_step(u.kept, step);
    if (d.of_gates.data != nullptr) gemm(old, Transpose::kYes, dg, Transpose::kNo, 1.0F, d.of_gates);
    if (d.of_candidate.data != nullptr) gemm(rh, Transpose::kYes, dc, Transpose::kNo, 1.0F, d.of_candidate);
  }
  const std::uint32_t* const row = u.steps.rows.data() + u.steps.begins[step];
  for (std::uint32_t i = 0; d.x.data != nullptr && i < g.rows; ++i) {
    float* const dx = d.x.row(row[i]);
    for (std::uint32_t j = 0; j < 2 * u.d; ++j) dx[j] += dg.at(i, j);
    for (std::uint32_t j = 0; j < u.d; ++j) dx[2 * u.d + j] += dc.at(i, j);
  }
}

}  // namespace

Var gru(Tape& tape, Var x, Var of_gates, Var of_candidate, const Sequences& sequences) {
  const ConstMatrix in = tape.value(x);
  const std::uint32_t d = in.cols / 3;
  CAPSTAN_ASSERT(in.rows == sequences.rows() && in.cols == 3 * d, "gru: shape of x");
  CAPSTAN_ASSERT(tape.value(of_gates).rows == d && tape.value(of_gates).cols == 2 * d, "gru: gates");
  CAPSTAN_ASSERT(tape.value(of_candidate).rows == d && tape.value(of_candidate).cols == d, "gru: candidate");
  Arena& arena = tape.arena();
  const auto rows = [&](std::uint32_t cols) { return arena.matrix(in.rows, cols); };
  const Unit unit{steps_of(arena, sequences.starts),
                  tape.value(of_gates),
                  tape.value(of_candidate),
                  rows(2 * d),
                  rows(d),
                  rows(d),
                  rows(d),
                  d};
  const auto [out, y] = tape.make("gru", {x, of_gates, of_candidate}, in.rows, d);
  const std::size_t steps = unit.steps.begins.size() - 1;
  for (std::size_t step = 0; step < steps; ++step) unit.forward(step, in, y);
  const UnitGradients gradients{rows(d),
                                rows(2 * d),
                                rows(d),
                                rows(d),
                                tape.gradient(x),
                                tape.gradient(of_gates),
                                tape.gradient(of_candidate)};
  const auto back = [unit, gradients, steps, dy = tape.gradient(out)] {
    for (std::size_t i = 0; i < unit.steps.rows.size(); ++i)
      std::copy_n(dy.row(unit.steps.rows[i]), unit.d, gradients.state.row(i));
    for (std::size_t step = steps; step-- > 0;) backward(unit, step, gradients);
  };
  tape.on_backward(out, back);
  return out;
}

}  // namespace capstan
