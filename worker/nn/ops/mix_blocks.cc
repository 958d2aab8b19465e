#include "worker/nn/ops/mix_blocks.h"

#include "common/assert.h"
#include "worker/nn/gemm.h"

namespace capstan {

// A row of x is a matrix [m, c], of which the result's row is weightsᵀ · that.
Var mix_blocks(Tape& tape, Var x, Var weights) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix w = tape.value(weights);
  CAPSTAN_ASSERT(w.rows > 0 && in.cols % w.rows == 0, "mix_blocks: a row of weights a block");
  const std::uint32_t c = in.cols / w.rows;
  const auto [out, y] = tape.make("mix_blocks", {x, weights}, in.rows, w.cols * c);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    gemm(w, Transpose::kYes, {in.row(i), w.rows, c}, Transpose::kNo, 0.0F, {y.row(i), w.cols, c});
  }
  const auto backward = [in, w, c, dx = tape.gradient(x), dw = tape.gradient(weights),
                         dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < in.rows; ++i) {
      const ConstMatrix d{dy.row(i), w.cols, c};
      if (dx.data != nullptr) gemm(w, Transpose::kNo, d, Transpose::kNo, 1.0F, {dx.row(i), w.rows, c});
      if (dw.data != nullptr) gemm({in.row(i), w.rows, c}, Transpose::kNo, d, Transpose::kYes, 1.0F, dw);
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
