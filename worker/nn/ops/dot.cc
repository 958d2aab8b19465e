#include "worker/nn/ops/dot.h"

#include "common/assert.h"

namespace capstan {

Var dot(Tape& tape, Var a, Var b) {
  const ConstMatrix x = tape.value(a);
  const ConstMatrix z = tape.value(b);
  CAPSTAN_ASSERT(x.rows == z.rows && x.cols == z.cols, "dot: shapes differ");
  const auto [out, y] = tape.make("dot", {a, b}, x.rows, 1);
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    float sum = 0.0F;
    for (std::uint32_t j = 0; j < x.cols; ++j) sum += x.at(i, j) * z.at(i, j);
    y.data[i] = sum;
  }
  const auto backward = [x, z, dx = tape.gradient(a), dz = tape.gradient(b), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < x.rows; ++i) {
      const float d = dy.data[i];
      for (std::uint32_t j = 0; dx.data != nullptr && j < x.cols; ++j) dx.at(i, j) += d * z.at(i, j);
      for (std::uint32_t j = 0; dz.data != nullptr && j < x.cols; ++j) dz.at(i, j) += d * x.at(i, j);
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
