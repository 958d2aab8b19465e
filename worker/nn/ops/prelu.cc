#include "worker/nn/ops/prelu.h"

#include "common/assert.h"

namespace capstan {

Var prelu(Tape& tape, Var x, Var slope) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix a = tape.value(slope);
  CAPSTAN_ASSERT(a.rows == 1 && a.cols == in.cols, "prelu: one slope a column");
  const auto [out, y] = tape.make("prelu", {x, slope}, in.rows, in.cols);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    for (std::uint32_t j = 0; j < in.cols; ++j) {
      const float value = in.at(i, j);
      y.at(i, j) = value > 0.0F ? value : a.data[j] * value;
    }
  }
  const auto backward = [in, a, dx = tape.gradient(x), da = tape.gradient(slope), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < in.rows; ++i) {
      for (std::uint32_t j = 0; j < in.cols; ++j) {
        const float value = in.at(i, j);
        const float d = dy.at(i, j);
        if (dx.data != nullptr) dx.at(i, j) += value > 0.0F ? d : a.data[j] * d;
        if (da.data != nullptr && value <= 0.0F) da.data[j] += value * d;
      }
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
