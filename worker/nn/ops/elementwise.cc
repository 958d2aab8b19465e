#include "worker/nn/ops/elementwise.h"

#include "common/assert.h"

namespace capstan {

Var add(Tape& tape, Var a, Var b) {
  const ConstMatrix x = tape.value(a);
  const ConstMatrix z = tape.value(b);
  CAPSTAN_ASSERT(x.cols == z.cols && (z.rows == x.rows || z.rows == 1), "add: shapes differ");
  const auto [out, y] = tape.make("add", {a, b}, x.rows, x.cols);
  const std::uint32_t step = z.rows == x.rows ? 1 : 0;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    for (std::uint32_t j = 0; j < x.cols; ++j) y.at(i, j) = x.at(i, j) + z.at(std::size_t{i} * step, j);
  }
  const auto backward = [step, dx = tape.gradient(a), dz = tape.gradient(b), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < dy.rows; ++i) {
      const float* const d = dy.row(i);
      for (std::uint32_t j = 0; dx.data != nullptr && j < dy.cols; ++j) dx.at(i, j) += d[j];
      for (std::uint32_t j = 0; dz.data != nullptr && j < dy.cols; ++j)
        dz.at(std::size_t{i} * step, j) += d[j];
    }
  };
  tape.on_backward(out, backward);
  return out;
}

Var scale(Tape& tape, Var x, float factor) {
  const ConstMatrix in = tape.value(x);
  const auto [out, y] = tape.make("scale", {x}, in.rows, in.cols, factor);
  for (std::size_t i = 0; i < in.size(); ++i) y.data[i] = factor * in.data[i];
  const auto backward = [factor, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::size_t i = 0; i < dy.size(); ++i) dx.data[i] += factor * dy.data[i];
  };
  tape.on_backward(out, backward);
  return out;
}

Var multiply(Tape& tape, Var a, Var b) {
  const ConstMatrix x = tape.value(a);
  const ConstMatrix z = tape.value(b);
  CAPSTAN_ASSERT(x.rows == z.rows && x.cols == z.cols, "multiply: shapes differ");
  const auto [out, y] = tape.make("multiply", {a, b}, x.rows, x.cols);
  for (std::size_t i = 0; i < x.size(); ++i) y.data[i] = x.data[i] * z.data[i];
  const auto backward = [x, z, dx = tape.gradient(a), dz = tape.gradient(b), dy = tape.gradient(out)] {
    for (std::size_t i = 0; dx.data != nullptr && i < x.size(); ++i) dx.data[i] += dy.data[i] * z.data[i];
    for (std::size_t i = 0; dz.data != nullptr && i < x.size(); ++i) dz.data[i] += dy.data[i] * x.data[i];
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
