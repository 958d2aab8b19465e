#include "worker/nn/ops/scale_blocks.h"

#include "common/assert.h"

namespace capstan {
namespace {

struct Gradients {
  Matrix x, factors;
};

void backward_block(const float* x, float factor, const float* dy, std::uint32_t width, float* dx,
                    float* d_factor) {
  for (std::uint32_t j = 0; dx != nullptr && j < width; ++j) dx[j] += factor * dy[j];
  if (d_factor == nullptr) return;
  float sum = 0.0F;
  for (std::uint32_t j = 0; j < width; ++j) sum += x[j] * dy[j];
  *d_factor += sum;
}

}  // namespace

Var scale_blocks(Tape& tape, Var x, Var factors) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix f = tape.value(factors);
  CAPSTAN_ASSERT(f.cols > 0 && f.rows == in.rows && in.cols % f.cols == 0,
                 "scale_blocks: whole blocks, and a factor each");
  const std::uint32_t width = in.cols / f.cols;
  const auto [out, y] = tape.make("scale_blocks", {x, factors}, in.rows, in.cols);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    for (std::uint32_t b = 0; b < f.cols; ++b) {
      const std::size_t first = std::size_t{b} * width;
      for (std::uint32_t j = 0; j < width; ++j) y.at(i, first + j) = f.at(i, b) * in.at(i, first + j);
    }
  }
  const Gradients d{tape.gradient(x), tape.gradient(factors)};
  const auto backward = [in, f, width, d, dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < in.rows; ++i) {
      for (std::uint32_t b = 0; b < f.cols; ++b) {
        const std::size_t first = std::size_t{b} * width;
        backward_block(in.row(i) + first, f.at(i, b), dy.row(i) + first, width,
                       d.x.data == nullptr ? nullptr : d.x.row(i) + first,
                       d.factors.data == nullptr ? nullptr : d.factors.row(i) + b);
      }
    }
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
