#include "worker/nn/ops/unit_rows.h"

#include <cmath>

namespace capstan {

// With y = x / r: dx = (dy - y · <y, dy>) / r.
Var unit_rows(Tape& tape, Var x) {
  const ConstMatrix in = tape.value(x);
  const Matrix inverse = tape.arena().matrix(in.rows, 1);
  const auto [out, y] = tape.make("unit_rows", {x}, in.rows, in.cols);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    float square = kUnitRowsEpsilon;
    for (std::uint32_t j = 0; j < in.cols; ++j) square += in.at(i, j) * in.at(i, j);
    inverse.data[i] = 1.0F / std::sqrt(square);
    for (std::uint32_t j = 0; j < in.cols; ++j) y.at(i, j) = in.at(i, j) * inverse.data[i];
  }
  const auto backward = [inverse, y = ConstMatrix(y), dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; dx.data != nullptr && i < y.rows; ++i) {
      float along = 0.0F;
      for (std::uint32_t j = 0; j < y.cols; ++j) along += y.at(i, j) * dy.at(i, j);
      for (std::uint32_t j = 0; j < y.cols; ++j)
        dx.at(i, j) += inverse.data[i] * (dy.at(i, j) - along * y.at(i, j));
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
