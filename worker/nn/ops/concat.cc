#include "worker/nn/ops/concat.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

Var concat(Tape& tape, std::span<const Var> parts) {
  CAPSTAN_ASSERT(!parts.empty(), "concat of nothing");
  if (parts.size() == 1) return parts[0];
  const std::uint32_t rows = tape.value(parts[0]).rows;
  std::uint32_t width = 0;
  for (const Var part : parts) {
    CAPSTAN_ASSERT(tape.value(part).rows == rows, "concat: rows");
    width += tape.value(part).cols;
  }
  const auto [out, y] = tape.make("concat", parts, rows, width);
  const auto gradients = tape.arena().array<Matrix>(parts.size());
  std::uint32_t column = 0;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const ConstMatrix x = tape.value(parts[p]);
    for (std::uint32_t i = 0; i < rows; ++i) std::copy_n(x.row(i), x.cols, y.row(i) + column);
    column += x.cols;
    gradients[p] = {tape.gradient(parts[p]).data, x.rows, x.cols};
  }

  const auto backward = [gradients, dy = tape.gradient(out)] {
    std::uint32_t first = 0;
    for (const Matrix& dx : gradients) {
      for (std::uint32_t i = 0; dx.data != nullptr && i < dx.rows; ++i) {
        const float* const from = dy.row(i) + first;
        for (std::uint32_t j = 0; j < dx.cols; ++j) dx.row(i)[j] += from[j];
      }
      first += dx.cols;
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
