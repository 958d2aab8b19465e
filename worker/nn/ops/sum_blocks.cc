#include "worker/nn/ops/sum_blocks.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

Var sum_blocks(Tape& tape, Var x, std::uint32_t dim) {
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(dim > 0 && in.cols % dim == 0, "sum_blocks: whole blocks");
  if (in.cols == dim) return x;
  const auto [out, y] = tape.make("sum_blocks", {x}, in.rows, dim, dim);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    float* const sum = y.row(i);
    std::fill_n(sum, dim, 0.0F);
    for (std::uint32_t first = 0; first < in.cols; first += dim) {
      for (std::uint32_t d = 0; d < dim; ++d) sum[d] += in.at(i, first + d);
    }
  }
  const auto backward = [dim, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < dx.rows; ++i) {
      for (std::uint32_t first = 0; first < dx.cols; first += dim) {
        for (std::uint32_t d = 0; d < dim; ++d) dx.at(i, first + d) += dy.at(i, d);
      }
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
