#include "worker/nn/ops/cross_scores.h"

#include "worker/nn/gemm.h"

namespace capstan {

Var cross_scores(Tape& tape, Var a, Var b) {
  const ConstMatrix x = tape.value(a);
  const ConstMatrix z = tape.value(b);
  const auto [out, y] = tape.make(x.rows, z.rows, tape.needs_gradient(a) || tape.needs_gradient(b));
  gemm(x, Transpose::kNo, z, Transpose::kYes, 0.0F, y);
  const auto backward = [x, z, dx = tape.gradient(a), dz = tape.gradient(b), dy = tape.gradient(out)] {
    if (dx.data != nullptr) gemm(dy, Transpose::kNo, z, Transpose::kNo, 1.0F, dx);
    if (dz.data != nullptr) gemm(dy, Transpose::kYes, x, Transpose::kNo, 1.0F, dz);
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
