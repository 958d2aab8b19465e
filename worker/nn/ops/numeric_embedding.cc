#include "worker/nn/ops/numeric_embedding.h"

#include "common/assert.h"

namespace capstan {

Var numeric_embedding(Tape& tape, Var x, Var vectors) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix v = tape.value(vectors);
  CAPSTAN_ASSERT(in.cols == v.rows, "numeric_embedding: a vector a number");
  const auto [out, y] = tape.make("numeric_embedding", {x, vectors}, in.rows, v.rows * v.cols);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    for (std::uint32_t f = 0; f < v.rows; ++f) {
      float* const block = y.row(i) + std::size_t{f} * v.cols;
      for (std::uint32_t d = 0; d < v.cols; ++d) block[d] = in.at(i, f) * v.at(f, d);
    }
  }
  const auto backward = [in, v, dx = tape.gradient(x), dv = tape.gradient(vectors), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < in.rows; ++i) {
      for (std::uint32_t f = 0; f < v.rows; ++f) {
        const float* const d = dy.row(i) + std::size_t{f} * v.cols;
        for (std::uint32_t j = 0; dx.data != nullptr && j < v.cols; ++j) dx.at(i, f) += d[j] * v.at(f, j);
        for (std::uint32_t j = 0; dv.data != nullptr && j < v.cols; ++j) dv.at(f, j) += d[j] * in.at(i, f);
      }
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
