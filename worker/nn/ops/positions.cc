#include "worker/nn/ops/positions.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {

Var add_positions(Tape& tape, Var x, Var table, const Sequences& sequences) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix places = tape.value(table);
  const std::span starts = sequences.starts;
  CAPSTAN_ASSERT(in.rows == sequences.rows() && in.cols == places.cols, "add_positions: shapes");
  const auto [out, y] = tape.make("add_positions", {x, table}, in.rows, in.cols);
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    const std::size_t count = std::size_t{starts[s + 1] - starts[s]} * in.cols;
    CAPSTAN_ASSERT(count <= places.size(), "add_positions: a sequence longer than the table");
    std::transform(in.row(starts[s]), in.row(starts[s]) + count, places.data, y.row(starts[s]),
                   [](float a, float b) { return a + b; });
  }
  const auto backward = [starts, dx = tape.gradient(x), dp = tape.gradient(table), dy = tape.gradient(out)] {
    for (std::size_t i = 0; dx.data != nullptr && i < dx.size(); ++i) dx.data[i] += dy.data[i];
    for (std::size_t s = 0; dp.data != nullptr && s + 1 < starts.size(); ++s) {
      const float* const d = dy.row(starts[s]);
      const std::size_t count = std::size_t{starts[s + 1] - starts[s]} * dp.cols;
      for (std::size_t i = 0; i < count; ++i) dp.data[i] += d[i];
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
