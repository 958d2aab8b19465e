#include "worker/nn/ops/dense.h"

#include <algorithm>

#include "common/assert.h"
#include "worker/nn/gemm.h"

namespace capstan {

Var dense(Tape& tape, Var x, Var weights) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix all = tape.value(weights);
  CAPSTAN_ASSERT(all.rows == in.cols + 1, "dense: one row of weights an input, and the bias");
  const ConstMatrix w = all.rows_from(0, in.cols);
  const float* const bias = all.row(in.cols);
  const auto [out, y] = tape.make("dense", {x, weights}, in.rows, all.cols);
  for (std::uint32_t i = 0; i < y.rows; ++i) std::copy_n(bias, y.cols, y.row(i));
  gemm(in, Transpose::kNo, w, Transpose::kNo, 1.0F, y);

  const auto backward = [in, w, dx = tape.gradient(x), dw = tape.gradient(weights), dy = tape.gradient(out)] {
    if (dx.data != nullptr) gemm(dy, Transpose::kNo, w, Transpose::kYes, 1.0F, dx);
    if (dw.data == nullptr) return;
    gemm(in, Transpose::kYes, dy, Transpose::kNo, 1.0F, dw.rows_from(0, in.cols));
    float* const db = dw.row(in.cols);
    for (std::uint32_t i = 0; i < dy.rows; ++i) {
      const float* const row = dy.row(i);
      for (std::uint32_t j = 0; j < dy.cols; ++j) db[j] += row[j];
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
