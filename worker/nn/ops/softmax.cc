#include "worker/nn/ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "common/assert.h"

namespace capstan {
namespace {

void shares(const float* x, std::uint32_t count, float* y) {
  const float highest = *std::max_element(x, x + count);
  float sum = 0.0F;
  for (std::uint32_t j = 0; j < count; ++j) {
    y[j] = std::exp(x[j] - highest);
    sum += y[j];
  }
  for (std::uint32_t j = 0; j < count; ++j) y[j] /= sum;
}

}  // namespace

Var softmax(Tape& tape, Var x) {
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(in.cols > 0, "softmax of nothing");
  const auto [out, y] = tape.make("softmax", {x}, in.rows, in.cols);
  for (std::uint32_t i = 0; i < in.rows; ++i) shares(in.row(i), in.cols, y.row(i));
  // dx = y ⊙ (dy - <y, dy>)
  const auto backward = [y = ConstMatrix(y), dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < y.rows; ++i) {
      float mean = 0.0F;
      for (std::uint32_t j = 0; j < y.cols; ++j) mean += y.at(i, j) * dy.at(i, j);
      for (std::uint32_t j = 0; j < y.cols; ++j) dx.at(i, j) += y.at(i, j) * (dy.at(i, j) - mean);
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
