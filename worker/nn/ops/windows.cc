#include "worker/nn/ops/windows.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

// visit(row, how many of the sequence's rows there are up to it, at most `width`)
template <typename Visit>
void each_window(std::span<const std::uint32_t> starts, std::uint32_t width, const Visit& visit) {
  for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
    for (std::uint32_t row = starts[s]; row < starts[s + 1]; ++row)
      visit(row, std::min(width, row - starts[s] + 1));
  }
}

}  // namespace

Var windows(Tape& tape, Var x, std::uint32_t width, const Sequences& sequences) {
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(in.rows == sequences.rows() && width > 0, "windows: shape");
  const auto [out, y] = tape.make("windows", {x}, in.rows, width * in.cols, width);
  each_window(sequences.starts, width, [&, y = y](std::uint32_t row, std::uint32_t count) {
    const std::uint32_t blank = (width - count) * in.cols;
    std::fill_n(y.row(row), blank, 0.0F);
    std::copy_n(in.row(row + 1 - count), count * in.cols, y.row(row) + blank);
  });
  const auto backward = [width, starts = sequences.starts, dx = tape.gradient(x), dy = tape.gradient(out)] {
    each_window(starts, width, [&](std::uint32_t row, std::uint32_t count) {
      const float* const d = dy.row(row) + std::size_t{width - count} * dx.cols;
      float* const target = dx.row(row + 1 - count);
      for (std::uint32_t j = 0; j < count * dx.cols; ++j) target[j] += d[j];
    });
  };
  tape.on_backward(out, backward);
  return out;
}

Var windows_max(Tape& tape, Var x, std::uint32_t width, const Sequences& sequences) {
  const ConstMatrix in = tape.value(x);
  CAPSTAN_ASSERT(in.rows == sequences.rows() && width > 0, "windows_max: shape");
  const auto winner = tape.arena().array<std::uint32_t>(in.size());
  const auto [out, y] = tape.make("windows_max", {x}, in.rows, in.cols, width);
  each_window(sequences.starts, width, [&, y = y](std::uint32_t row, std::uint32_t count) {
    for (std::uint32_t j = 0; j < in.cols; ++j) {
      std::uint32_t best = row;
      for (std::uint32_t back = 1; back < count; ++back) {
        if (in.at(row - back, j) > in.at(best, j)) best = row - back;
      }
      winner[std::size_t{row} * in.cols + j] = best;
      y.at(row, j) = in.at(best, j);
    }
  });
  const auto backward = [winner, dx = tape.gradient(x), dy = tape.gradient(out)] {
    for (std::size_t i = 0; i < dy.size(); ++i) dx.at(winner[i], i % dy.cols) += dy.data[i];
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
