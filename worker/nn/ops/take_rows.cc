#include "worker/nn/ops/take_rows.h"

#include <algorithm>

#include "worker/nn/sequences.h"

namespace capstan {

Var take_rows(Tape& tape, Var x, std::span<const std::uint32_t> rows) {
  const ConstMatrix in = tape.value(x);
  const auto [out, y] = tape.make("take_rows", {x}, static_cast<std::uint32_t>(rows.size()), in.cols);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == Sequences::kNone) {
      std::fill_n(y.row(i), y.cols, 0.0F);
    } else {
      std::copy_n(in.row(rows[i]), y.cols, y.row(i));
    }
  }
  const auto backward = [rows, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == Sequences::kNone) continue;
      const float* const d = dy.row(i);
      float* const target = dx.row(rows[i]);
      for (std::uint32_t j = 0; j < dy.cols; ++j) target[j] += d[j];
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
