#include "worker/nn/ops/fm_interaction.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

Var fm_interaction(Tape& tape, Var x, std::uint32_t dim) {
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(dim > 0 && in.cols % dim == 0, "fm_interaction: whole vectors");
  const Matrix sums = tape.arena().zeros(in.rows, dim);
  const auto [out, y] = tape.make("fm_interaction", {x}, in.rows, 1, dim);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    const float* const row = in.row(i);
    float* const sum = sums.row(i);
    float squares = 0.0F;
    for (std::uint32_t first = 0; first < in.cols; first += dim) {
      for (std::uint32_t d = 0; d < dim; ++d) {
        sum[d] += row[first + d];
        squares += row[first + d] * row[first + d];
      }
    }
    float of_sums = 0.0F;
    for (std::uint32_t d = 0; d < dim; ++d) of_sums += sum[d] * sum[d];
    y.data[i] = 0.5F * (of_sums - squares);
  }
  const auto backward = [in, sums, dim, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < in.rows; ++i) {
      for (std::uint32_t first = 0; first < in.cols; first += dim) {
        for (std::uint32_t d = 0; d < dim; ++d) {
          dx.at(i, first + d) += dy.data[i] * (sums.at(i, d) - in.at(i, first + d));
        }
      }
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
